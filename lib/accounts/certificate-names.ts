/**
 * What a user's certificate is known by, as nats-server 2.15 compares it with `verify_and_map`
 * (`checkClientTLSCertSubject` in auth.go, internal/ldap/dn.go).
 *
 * The server tries the alternative names first, in the order e-mail, DNS, URI, each letter by letter. Then it compares
 * the subject: by its parts in their order, and by its parts in any order. It takes the first user that matches.
 */

/** A part of a subject: usually one attribute, several if `+` joins them. */
type SubjectPart = readonly Attribute[];

interface Attribute {
  /** In capitals, e.g. `CN`: the server ignores the case of types. */
  readonly type: string;
  readonly value: string;
}

/** The types that the server knows in a certificate's subject. One more, and it matches no user by its parts. */
const ATTRIBUTE_TYPES: ReadonlySet<string> = new Set([
  "CN",
  "SERIALNUMBER",
  "C",
  "L",
  "ST",
  "STREET",
  "O",
  "OU",
  "POSTALCODE",
  "DC",
]);

const MAIL = /^[^\s@=",]+@[^\s@=",]+$/;
const URI = /^[a-z][a-z0-9+.-]*:\/\/\S+$/i;
const DNS = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*$/i;

/**
 * Why no certificate can have this name: the rest of a sentence that begins with it. Undefined if one can.
 *
 * @param text e.g. `CN=worker,O=Acme`, `worker@acme.example`, `worker.acme.example`, `spiffe://acme/worker`.
 */
export function whyNoCertificateName(text: string): string | undefined {
  if (URI.test(text) || MAIL.test(text) || DNS.test(text)) return undefined;
  if (!text.includes("=")) {
    return "is no subject, e.g. CN=worker,O=Acme, nor an alternative name: e-mail, DNS or URI";
  }
  const parts = parseSubject(text);
  if (typeof parts === "string") return parts;
  const strange = parts.flat().find(({ type }) => !ATTRIBUTE_TYPES.has(type));
  if (!strange) return undefined;
  return `has ${strange.type}, and servers compare only subjects of ${[...ATTRIBUTE_TYPES].join(", ")}; name an alternative name of the certificate`;
}

/** Whether both are subjects with the same parts, in whatever order: then the same certificate may match either. */
export function areSameSubject(one: string, other: string): boolean {
  const [first, second] = [one, other].map((text) => (URI.test(text) ? "" : parseSubject(text)));
  if (!Array.isArray(first) || !Array.isArray(second)) return false;
  const sorted = (parts: readonly SubjectPart[]) => JSON.stringify(parts.map(spell).sort());
  return sorted(first) === sorted(second);
}

/** The same text for parts that the server takes for the same. */
function spell(part: SubjectPart): string {
  return JSON.stringify(part.map(({ type, value }) => `${type}=${value}`).sort());
}

/** Characters that stand for themselves only after a backslash (RFC 4514). */
const SPECIAL = '"+,;<>=\\';

/** The parts of a subject, the most special first, e.g. `CN=worker,O=Acme`; or why it is none. */
function parseSubject(text: string): readonly SubjectPart[] | string {
  const parts: Attribute[][] = [[]];
  const matches = [...text.matchAll(ATTRIBUTE)];
  const isWhole = matches.reduce((length, [match]) => length + match.length, 0) === text.length;
  if (!isWhole || matches.at(-1)?.[2] !== "") return NO_SUBJECT;
  for (const [, attribute = "", separator] of matches) {
    const [, type = "", spelled = ""] = /^ *([^=\\]*?) *= *(.*)$/s.exec(attribute) ?? [];
    const value = plainValue(spelled.replace(/(?<!\\) +$/, ""));
    if (type === "" || spelled === "") return NO_SUBJECT;
    if (value === undefined) {
      return `is no subject: one of ${SPECIAL} in a value takes a backslash before it, and no value begins with #`;
    }
    parts.at(-1)?.push({ type: type.toUpperCase(), value });
    if (separator === ",") parts.push([]);
  }
  return parts;
}

const NO_SUBJECT = "is no subject, e.g. CN=worker,O=Acme";

/** An attribute, and what comes after it. */
const ATTRIBUTE = /((?:\\.|[^\\,+])+)([,+]?)/gsu;

function plainValue(text: string): string | undefined {
  const bare = text.replace(/\\([0-9a-f]{2}|.)/gis, "");
  if (text.startsWith("#") || [...bare].some((character) => SPECIAL.includes(character))) {
    return undefined;
  }
  return Buffer.concat(
    [...text.matchAll(/\\([0-9a-f]{2})|\\(.)|([^\\]+)/gis)].map(([, hex, special, plain]) =>
      hex === undefined ? Buffer.from(special ?? plain ?? "") : Buffer.from(hex, "hex"),
    ),
  ).toString();
}
