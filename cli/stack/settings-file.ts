import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse, YAMLParseError } from "yaml";
import { PASSWORD_PLACEHOLDER } from "../../lib/accounts/hidden-passwords.ts";
import { isMap } from "../../lib/base/records.ts";
import { decodeSettings } from "../../lib/plan/settings.ts";
import { project } from "../pulumi/project.mjs";
import { UserError } from "../terminal/user-error.ts";
import { projectName, readProjectFile, settingsFile } from "./stack.ts";

/** Settings from a file, decoded as Pulumi does, but not validated yet. */
export interface FiledSettings {
  /** By name, for `parseSettings`; including the defaults of Pulumi.yaml. */
  readonly raw: Readonly<Record<string, unknown>>;
  /** Settings that can't be read here, e.g. encrypted ones: paths as in the file. Passwords are left out. */
  readonly unread: readonly string[];
}

/**
 * Reads a stack's settings from its file, without Pulumi and its passphrase.
 *
 * @throws UserError if there is no such file, naming the stacks that have one.
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
 * Reads settings from any file: one of a stack, or a plain YAML or JSON map of settings by name.
 *
 * @param name of the file for messages, as the user gave it.
 * @throws UserError if the file can't be read, or isn't such a file.
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

/** The stack of a settings file, by the file's name: `Pulumi.blue.yaml` → `blue`. */
export function stackOfFile(file: string): string | undefined {
  return /^Pulumi\.(.+)\.ya?ml$/.exec(path.basename(file))?.[1];
}

/** The stacks that have a file with settings. */
export function stacksWithSettings(): string[] {
  return readdirSync(project).flatMap((file) => stackOfFile(file) ?? []);
}

/** A stack's file has one of these keys; no setting has such a name. */
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

/** The defaults in Pulumi.yaml, for every stack of the project. */
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

/** Explains it for streams as well: the same stream name is possible in several accounts. */
const ONCE =
  "A map has each name once. Streams of the same name in two accounts need different names here: set `stream` of one of them to its name on the servers.";

/** @throws UserError quoting the line that isn't YAML, or if the document isn't a map. */
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

/** An empty document is an empty map. */
function expectMap(what: string, value: unknown): PlainMap {
  if (value === null || value === undefined) return {};
  if (isMap(value)) return value;
  const found = Array.isArray(value) ? "a list" : JSON.stringify(value);
  throw new UserError(
    `${what} is ${found}, but should be a map of settings, e.g. \`regions: [rg1, rg2]\`.`,
  );
}

/** Pulumi, too, reads a name without a namespace as the project's. */
function withNamespace(key: string, namespace: string): string {
  return key.includes(":") ? key : `${namespace}:${key}`;
}

/** The form in which Pulumi passes a value to a program: strings as they are, anything else as JSON. */
function toText(value: unknown): string {
  if (value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Whether a value is encrypted, in Pulumi's notation. */
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

/** Paths of passwords, and of values of entries. A plan only needs to know that they are set. */
const PASSWORD =
  /^(.*:)?(password|systemPassword|encryptionKey|accounts\..+\.users\..+\.password|buckets\..+\.entries\..+)$/;

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
