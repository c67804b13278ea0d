import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse, YAMLParseError } from "yaml";
import { PASSWORD_PLACEHOLDER } from "../../lib/accounts/hidden-passwords.ts";
import { isMap } from "../../lib/base/records.ts";
import { decodeSettings } from "../../lib/plan/settings.ts";
import { project } from "../pulumi/project.mjs";
import { UserError } from "../terminal/user-error.ts";
import { projectName, readProjectFile, settingsFile } from "./stack.ts";

/** Settings as a file has them, decoded as Pulumi would, not checked yet. */
export interface FiledSettings {
  /** By name, for `parseSettings`; the defaults of Pulumi.yaml are among them. */
  readonly raw: Readonly<Record<string, unknown>>;
  /** What is there but can't be read here, as encrypted settings can't: paths as in the file. No passwords. */
  readonly unread: readonly string[];
}

/**
 * Reads a stack's settings from its file, with neither Pulumi nor its passphrase.
 *
 * @throws UserError where there is no such file, naming the stacks that have one.
 */
export function readStackSettings(stack: string): FiledSettings {
  const file = settingsFile(stack);
  try {
    return decodeFile(file, readProjectFile(file));
  } catch (cause) {
    if (!isSystemError(cause, "ENOENT")) throw cause;
    const known = stacksWithSettings();
    const message = `Stack ${stack} has no settings here: there is no ${file}.`;
    const others = known.length > 0 ? `Those that have: ${known.join(", ")}. ` : "";
    const wayOut = `\`npm start -- --stack ${stack}\` makes it.`;
    throw new UserError(`${message} ${others}${wayOut}`, { cause });
  }
}

/**
 * Reads settings from any file: one of a stack, or a plain YAML or JSON map of setting names.
 *
 * @param name as the person gave it, for messages.
 * @throws UserError where the file can't be read, or isn't that.
 */
export function readSettingsFile(file: string, name: string): FiledSettings {
  try {
    return decodeFile(name, readFileSync(file, "utf8"));
  } catch (cause) {
    if (isSystemError(cause, "ENOENT")) throw new UserError(`There is no file ${file}.`, { cause });
    if (isSystemError(cause))
      throw new UserError(`Can't read ${name}: ${cause.message}`, { cause });
    throw cause;
  }
}

/** The stack whose settings a file holds by its name: `Pulumi.blue.yaml` → `blue`. */
export function stackOfFile(file: string): string | undefined {
  return /^Pulumi\.(.+)\.ya?ml$/.exec(path.basename(file))?.[1];
}

function stacksWithSettings(): string[] {
  return readdirSync(project).flatMap((file) => stackOfFile(file) ?? []);
}

/** A file of a stack has one of these; a setting is called none of them. */
const STACK_KEYS = ["config", "encryptionsalt", "encryptedkey", "secretsprovider", "environment"];

function decodeFile(file: string, text: string): FiledSettings {
  const content = parseYaml(file, text);
  const ofStack = STACK_KEYS.some((key) => Object.hasOwn(content, key));
  const settings = ofStack ? expectMap(`${file}: config`, content.config) : content;
  const namespace = projectName();
  const texts = Object.entries(withoutSecrets(settings, "")).map(
    ([key, value]) => [withNamespace(key, namespace), toText(value)] as const,
  );
  const encrypted = Object.entries(settings).flatMap(([key, value]) => secretPaths(value, key));
  const imports = ofStack && content.environment !== undefined ? ["environment"] : [];
  return {
    raw: decodeSettings(
      { ...declaredDefaults(namespace), ...Object.fromEntries(texts) },
      namespace,
    ),
    unread: [...imports, ...encrypted.filter((at) => !PASSWORD.test(at))],
  };
}

/** What Pulumi.yaml gives to every stack of the project. */
function declaredDefaults(namespace: string): Record<string, string> {
  const file = "Pulumi.yaml";
  const content = parseYaml(file, readProjectFile(file));
  const declarations = Object.entries(expectMap(`${file}: config`, content.config));
  const values = declarations.flatMap(([key, declaration]) => {
    const { value, default: standard } = isMap(declaration) ? declaration : {};
    const given = value ?? standard;
    return given === undefined ? [] : [[withNamespace(key, namespace), toText(given)] as const];
  });
  return Object.fromEntries(values);
}

type PlainMap = Readonly<Record<string, unknown>>;

/** Of streams it isn't plain: there may be one of the same name in each account. */
const ONCE =
  "A name stands once in a map; that of a stream too, whatever account it is in: of two with the same name, call one otherwise here, and set its stream to that name.";

/** @throws UserError quoting the line that is no YAML, or where the whole is no map. */
function parseYaml(file: string, text: string): PlainMap {
  try {
    return expectMap(file, parse(text, { merge: true }));
  } catch (cause) {
    if (cause instanceof UserError || !(cause instanceof Error)) throw cause;
    const isTwice = cause instanceof YAMLParseError && cause.code === "DUPLICATE_KEY";
    const rule = isTwice ? `\n${ONCE}` : "";
    const message = `${file} can't be read as YAML: ${cause.message.trimEnd()}${rule}`;
    throw new UserError(message, { cause });
  }
}

/** Nothing at all is an empty map. */
function expectMap(what: string, value: unknown): PlainMap {
  if (value === null || value === undefined) return {};
  if (isMap(value)) return value;
  const found = Array.isArray(value) ? "a list" : JSON.stringify(value);
  throw new UserError(
    `${what} is ${found}, but should be a map of settings, e.g. \`regions: [rg1, rg2]\`.`,
  );
}

/** A name without a namespace is the project's, for Pulumi too. */
function withNamespace(key: string, namespace: string): string {
  return key.includes(":") ? key : `${namespace}:${key}`;
}

/** As Pulumi hands it to a program: text as it is, anything else as JSON. */
function toText(value: unknown): string {
  if (value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** How Pulumi writes an encrypted value. */
function isSecret(value: unknown): boolean {
  return isMap(value) && typeof value.secure === "string" && Object.keys(value).length === 1;
}

function secretPaths(value: unknown, at: string): string[] {
  if (isSecret(value)) return [at];
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => secretPaths(item, `${at}[${index}]`));
  }
  if (!isMap(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => secretPaths(item, `${at}.${key}`));
}

/** Paths of the settings of which no plan needs more than that they are there. */
const PASSWORD = /^(.*:)?(password|systemPassword|accounts\..+\.users\..+\.password)$/;

function withoutSecrets(map: PlainMap, path: string): PlainMap {
  const entries = Object.entries(map).map(([key, value]) => ({ key, value, at: `${path}${key}` }));
  return Object.fromEntries(
    entries
      .filter(({ value, at }) => !isSecret(value) || PASSWORD.test(at))
      .map(({ key, value, at }) => [
        key,
        isSecret(value) ? PASSWORD_PLACEHOLDER : stripSecrets(value, at),
      ]),
  );
}

function stripSecrets(value: unknown, at: string): unknown {
  if (Array.isArray(value)) {
    return value.filter((item) => !isSecret(item)).map((item) => stripSecrets(item, at));
  }
  return isMap(value) ? withoutSecrets(value, `${at}.`) : value;
}

function isSystemError(error: unknown, code?: string): error is Error {
  if (!(error instanceof Error) || !("syscall" in error)) return false;
  return code === undefined || ("code" in error && error.code === code);
}
