/** The format of nats-server's config files. */

/** A value of nats-server's config format. It has the types of JSON, except `null`. */
export type ConfigValue = string | number | boolean | readonly ConfigValue[] | ConfigBlock;

export interface ConfigBlock {
  readonly [key: string]: ConfigValue;
}

/** A block with the entries that have a value. */
export function withoutAbsent(
  block: Readonly<Record<string, ConfigValue | undefined>>,
): ConfigBlock {
  return Object.fromEntries(
    Object.entries(block).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}

/** Renders a block's entries: one line for each, several lines where a value is a block or a list. */
export function renderEntries(block: ConfigBlock, indent = ""): string {
  return Object.entries(block)
    .map(([key, value]) => `${indent}${quote(key)}: ${renderValue(value, indent)}`)
    .join("\n");
}

function renderValue(value: ConfigValue, indent: string): string {
  if (typeof value === "string") return quote(value);
  if (typeof value !== "object") return `${value}`;
  const inner = `${indent}  `;
  if (!isList(value)) return `{\n${renderEntries(value, inner)}\n${indent}}`;
  const items = value.map((item) => `${inner}${renderValue(item, inner)}`);
  return `[\n${items.join("\n")}\n${indent}]`;
}

/**
 * Quotes a string for nats-server's config format: control characters become `\xNN`, as it has no `\u` (conf/lex.go,
 * `lexStringEscape`). The server unescapes values, but not keys: a key must have no character that needs an escape.
 */
export function quote(text: string): string {
  return `"${text.replace(ESCAPED, escapeForConf)}"`;
}

const ESCAPED = /["\\]|\p{Cc}/gu;

function escapeForConf(character: string): string {
  if (character === '"' || character === "\\") return `\\${character}`;
  return [...Buffer.from(character)]
    .map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`)
    .join("");
}

/**
 * Writes JSON as Go's encoding/json does: keys are sorted, and characters with a meaning in HTML or JavaScript are
 * escaped.
 */
export function encodeLikeGo(value: ConfigValue): string {
  if (typeof value === "string")
    return JSON.stringify(value).replace(ESCAPED_BY_GO, toUnicodeEscape);
  if (typeof value !== "object") return `${value}`;
  if (isList(value)) return `[${value.map(encodeLikeGo).join(",")}]`;
  const entries = Object.entries(value)
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([key, item]) => `${encodeLikeGo(key)}:${encodeLikeGo(item)}`);
  return `{${entries.join(",")}}`;
}

const ESCAPED_BY_GO = /[<>&\u2028\u2029]/g;

function toUnicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function isList(value: readonly ConfigValue[] | ConfigBlock): value is readonly ConfigValue[] {
  return Array.isArray(value);
}
