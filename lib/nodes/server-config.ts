/**
 * The setting `config`: options of nats-server that have no setting of their own, by the server's own names. They are
 * merged into each node's config.
 */
import type { ConfigBlock, ConfigValue } from "../base/conf-format.ts";
import type { Problem } from "../base/errors.ts";
import { isMap } from "../base/records.ts";
import type { SettingValues } from "../settings/setting-values.ts";
import type { ListenerSettings } from "./listeners.ts";
import { ALIASES, RELOADED, TAKEN } from "./server-options.ts";
import { isOlder, type ServerVersion } from "./versions.ts";

/** Blocks that the program renders, or whose options it knows one by one. All others count as one option. */
const BLOCKS: ReadonlySet<string> = new Set(["cluster", "jetstream", "jetstream.limits"]);

interface Option {
  /** E.g. `jetstream.domain`. */
  readonly path: string;
  readonly value: ConfigValue;
}

/** The options in a config, one by one, in its order. */
function optionsOf(config: ConfigBlock, above = ""): readonly Option[] {
  return Object.entries(config).flatMap(([key, value]) => {
    const path = `${above}${key}`;
    return isBlock(value) && BLOCKS.has(path) ? optionsOf(value, `${path}.`) : [{ path, value }];
  });
}

function isBlock(value: ConfigValue): value is ConfigBlock {
  return isMap(value);
}

/** Merges options into a config, block by block. */
export function mergeConfig(config: ConfigBlock, more: ConfigBlock): ConfigBlock {
  const merged = Object.entries(more).map(([key, value]) => {
    const before = Object.hasOwn(config, key) ? config[key] : undefined;
    const isMerged = before !== undefined && isBlock(before) && isBlock(value);
    return [key, isMerged ? mergeConfig(before, value) : value] as const;
  });
  return { ...config, ...Object.fromEntries(merged) };
}

/**
 * The options whose change takes a restart: all that no reload is known to apply.
 *
 * @param version of the server. Default: one that reloads all that any reloads.
 * @returns by paths such as `config.jetstream.domain`; values that are lists or maps as JSON.
 */
export function restartOptions(config: ConfigBlock, version?: ServerVersion): SettingValues {
  const isReloaded = (path: string) => {
    const since = RELOADED.get(path);
    return since !== undefined && (version === undefined || !isOlder(version, since));
  };
  return Object.fromEntries(
    optionsOf(config)
      .filter(({ path }) => !isReloaded(path))
      .map(({ path, value }) => [
        `config.${path}`,
        typeof value === "object" ? JSON.stringify(value) : value,
      ]),
  );
}

/**
 * Reports options that the program sets itself, options of listeners that are off, and secrets. No message has a value.
 */
export function serverConfigProblems(
  config: ConfigBlock,
  listeners: Pick<ListenerSettings, "websocket" | "mqtt">,
): Problem[] {
  const off = (["websocket", "mqtt"] as const).filter(
    (name) => Object.hasOwn(config, name) && !listeners[name],
  );
  return [
    ...off.map((name) => ({
      path: `config.${name}`,
      message: "is for a listener that is off",
      fix: `set ${name} to true first`,
    })),
    ...optionsOf(config).flatMap(optionProblems),
    ...secretsIn(config, "config").map((path) => ({
      path,
      message: "is a secret, which a node's config would have in plain text, as the state would",
      fix: "users are in accounts; name a file that transform mounts into the containers for all else",
    })),
  ];
}

function optionProblems({ path: given, value }: Option): Problem[] {
  const path = `config.${given}`;
  if (given !== given.toLowerCase()) {
    return [{ path, message: "nats-server reads it in any case", fix: "write it in lower case" }];
  }
  const name = ALIASES.get(given) ?? given;
  const own = TAKEN.get(name) ?? TAKEN.get(name.split(".").slice(0, -1).join("."));
  if (own !== undefined) return [{ path, message: "is set by the program", fix: own }];
  if (name !== given) {
    return [{ path, message: "has two names", fix: `write it as ${name.split(".").at(-1)}` }];
  }
  if (BLOCKS.has(given) && !isBlock(value)) {
    return [{ path, message: "is a block of options", fix: "write a map" }];
  }
  return isBlock(value) ? Object.keys(value).flatMap((key) => takenWithin(`${given}.${key}`)) : [];
}

/** An option in a block that is no block of the program's, e.g. the port of a listener. */
function takenWithin(given: string): Problem[] {
  const own = TAKEN.get(given.toLowerCase());
  return own === undefined
    ? []
    : [{ path: `config.${given}`, message: "is set by the program", fix: own }];
}

/** Names of options whose values are secrets (nats-server 2.15, opts.go). */
const SECRET_NAME =
  /^(pass|password|token|secret|nkey|seed|key|ek|encryption_key|prev_(key|ek|encryption_key)|\w+_password)$/i;
/** A URL with a login, as those of remote leaf nodes may have one. */
const URL_WITH_LOGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/\s]*@/i;

function secretsIn(value: ConfigValue, path: string): string[] {
  if (typeof value === "string") return URL_WITH_LOGIN.test(value) ? [path] : [];
  if (typeof value !== "object") return [];
  if (!isBlock(value)) {
    return (value as readonly ConfigValue[]).flatMap((item, index) =>
      secretsIn(item, `${path}[${index}]`),
    );
  }
  return Object.entries(value).flatMap(([key, item]) =>
    SECRET_NAME.test(key) && typeof item !== "object"
      ? [`${path}.${key}`]
      : secretsIn(item, `${path}.${key}`),
  );
}
