/** The format of nats-server's config files. */

/** A value of nats-server's config format, which is JSON's but for the way it is written. */
export type ConfigValue = string | number | boolean | readonly ConfigValue[] | ConfigBlock;

export interface ConfigBlock {
  readonly [key: string]: ConfigValue;
}

/** A block's entries, a line each and more where they are blocks themselves. */
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
 * Quotes a string for nats-server's config format: control characters are `\xNN`, there is no `\u`
 * (conf/lex.go, `lexStringEscape`). In a key nothing is unescaped: none may need it.
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

/** Go's encoding/json sorts keys, and escapes what would mean something in HTML or JavaScript. */
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
