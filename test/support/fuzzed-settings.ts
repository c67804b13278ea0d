import fc from "fast-check";
import type { Field, NestedField } from "../../lib/base/field-table.ts";
import { BUCKET_FIELDS, OBJECT_STORE_FIELDS } from "../../lib/buckets/bucket-fields.ts";
import { SETTINGS, type Setting } from "../../lib/settings/settings-table.ts";
import { STREAM_FIELDS } from "../../lib/streams/stream-fields.ts";

/** A stack's config as Pulumi passes it to the program, passwords included: texts by name, without a namespace. */
export type ConfigTexts = Readonly<Record<string, string>>;

/** Part of every password that is long enough to be distinguished from other text. */
export const MARKER = "Zebra-4711";

/** Text that a parser on the way may misread. */
const ODD_TEXTS = [
  "",
  "_",
  " ",
  "\n",
  "\0",
  "\\",
  '"',
  "'",
  "$",
  "$SYS",
  "$G",
  "$HOME",
  "$2a$11$",
  "${",
  "$(id)",
  "`id`",
  "#",
  "//",
  "..",
  "../..",
  "a/b",
  "a\\b",
  "a;b",
  "a,b",
  "{",
  "}",
  "(",
  "include x",
  "%s",
  "%00",
  "true",
  "null",
  "-0",
  "1e3",
  "0x10",
  "1_000",
  "NaN",
  "١٢",
  "ü",
  "漢字",
  "😀",
  "e\u0301",
  "\u2028",
  "\u202e",
  "\ufeff",
  "\ufffd",
  "\u0085",
  "\u007f",
  "x".repeat(300),
  "constructor",
  "__proto__",
  "toString",
];

const oddText = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...ODD_TEXTS) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 12 }) },
);

const oddNumber = fc.oneof(
  fc.constantFrom(0, -1, 1, 0.5, 65_535, 65_536, 2 ** 31, 2 ** 53, 2 ** 63, 1e21, 1e308, 5e-324),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** Values of any type. */
const anything: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: oddText },
  { weight: 2, arbitrary: oddNumber },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(null, true, false, [], {}, [[]], [null]) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
);

function mostly<T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<unknown> = anything) {
  return fc.oneof({ weight: 40, arbitrary: usual }, { weight: 1, arbitrary: odd });
}

const number = fc.oneof(
  fc.nat({ max: 2_000 }).map(String),
  fc.constantFrom("0", "00", "1.5", "1.", ".5", "1e3", "-1", "+1", "9007199254740993"),
  fc.constant("9".repeat(40)),
);

/** A number and a unit, usually. */
function quantity(...units: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(number, fc.constantFrom("", "", " ", "\t"), fc.constantFrom(...units))
    .map((parts) => parts.join(""));
}

const size = fc.constantFrom<unknown>("64MiB", "1GiB", "2 GiB", "1.5GiB", "900MB", 268_435_456);
const oddSize = fc.oneof(
  quantity("", "B", "KB", "KiB", "Mib", "MiB", "GiB", "TiB", "TB", "PiB", "g"),
  fc.constantFrom<unknown>("unlimited", "-1", -1, 0, "0B", 2 ** 53 - 1),
);

const duration = fc.constantFrom("1s", "2m", "100ms", "1h30m", "7d", "1us", "1µs", "999999999ns");
const oddDuration = fc
  .array(quantity("d", "h", "m", "s", "ms", "us", "µs", "ns", "y", ""), { maxLength: 3 })
  .map((parts) => parts.join(""));

const REGIONS = ["rg1", "rg2", "rg3", "us-east", "eu", "b", "rg", "az1", "constructor", "a--b"];
const ZONES = ["az1", "az2", "az3", "az4", "b", "az", "z-9", "constructor"];
const ODD_NAMES = ["rg-1", "az-1", "Rg1", "1a", "a-", "-", "a.b", "a_b", "ü", "a".repeat(64)];

function names(known: readonly string[], minLength: number): fc.Arbitrary<string[]> {
  return fc.uniqueArray(fc.constantFrom(...known), { minLength, maxLength: 4 });
}

function oddNames(known: readonly string[]): fc.Arbitrary<unknown[]> {
  const name = fc.oneof(fc.constantFrom<unknown>(...ODD_NAMES, ...known), anything);
  return fc.array(name, { maxLength: 12 });
}

function byRegion(values: fc.Arbitrary<unknown>, minKeys: number): fc.Arbitrary<object> {
  return fc.dictionary(fc.constantFrom(...REGIONS), values, { minKeys, maxKeys: 4 });
}

/** Names that may have any characters but blanks, quotes and control characters. */
const label = fc.oneof(
  fc.constantFrom("c1", "APP", "User-1", "a_b", "0", "1k", "true", "a'b"),
  fc.constantFrom(...ODD_TEXTS.filter(isLabel)),
  fc.string({ unit: "binary", minLength: 1, maxLength: 12 }).filter(isLabel),
);

function isLabel(text: string): boolean {
  return /^[^\p{C}\s"]{1,128}$/u.test(text);
}

const port = fc.integer({ min: 1_000, max: 59_000 });
const oddPort = fc.constantFrom<unknown>(1, 65_535, 65_530, 65_536, "4222", 4_222.5);

const subject = fc.constantFrom("a.*", "b.>", "c", "d.e", "ü.*", "$x.y");
const oddSubject = fc.constantFrom("a..b", "a b", ">", "*.c", "$JS.API.x", "$SYS.>", ".");

const tag = fc.constantFrom(
  "rg:1",
  "az:1",
  "rg:2",
  "xr:12",
  "xr:123",
  "xr:1_2",
  "xr:1.az",
  "!az:2",
);
const place = fc.constantFrom(...REGIONS, ...ZONES, "nowhere");

const placement = fc.oneof(
  fc.record({ region: fc.constantFrom(...REGIONS) }),
  fc.record({ tags: fc.array(mostly(tag, oddText), { maxLength: 2 }) }),
  fc.record({
    across: fc.dictionary(fc.constantFrom(...REGIONS), fc.constantFrom(...ZONES), { maxKeys: 3 }),
  }),
  fc.record({ region: place, cluster: label, tags: fc.array(tag) }, { requiredKeys: [] }),
);

function fieldValue(field: Field | NestedField): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case "text":
      return oddText;
    case "time":
      return fc.constantFrom("2026-01-31T12:00:00Z", "2026-01-31T12:00:00+01:00", "2026-02-30");
    case "flag":
      return fc.boolean();
    case "choice":
      return fc.constantFrom(...field.values);
    case "count":
    case "limit":
      return mostly(fc.integer({ min: 1, max: 5 }), oddNumber);
    case "bytes":
      return mostly(fc.oneof(size, fc.constantFrom("1KiB", "64KiB")), oddSize);
    case "duration":
      return mostly(duration, oddDuration);
    case "durations":
      return fc.array(mostly(duration, oddDuration), { maxLength: 2 });
    case "texts":
      return fc.uniqueArray(mostly(subject, fc.oneof(oddSubject, oddText)), { maxLength: 3 });
    case "labels":
      return fc.dictionary(oddText, oddText, { maxKeys: 2 });
    case "object":
      return fields(field.fields);
    case "objects":
      return fc.array(fields(field.fields), { maxLength: 2 });
  }
}

function fields(table: Readonly<Record<string, Field | NestedField>>): fc.Arbitrary<object> {
  const values: Record<string, fc.Arbitrary<unknown>> = {};
  for (const [name, field] of Object.entries(table)) {
    values[name] = mostly(name === "placement" ? placement : fieldValue(field));
  }
  const requiredKeys = Object.keys(table).filter(
    (name) => table[name] && "required" in table[name],
  );
  return fc.record(values, { requiredKeys });
}

/** A few fields at a time, because many fields exclude each other. */
const someFields: fc.Arbitrary<object> = fc
  .subarray(Object.entries<Field>(STREAM_FIELDS), { maxLength: 3 })
  .chain((some) => fields(Object.fromEntries(some)));

const policy = fc.record(
  {
    leader: fc.record({ region: place, zone: place, node: oddText }, { requiredKeys: [] }),
    adopt: fc.boolean(),
    allowDataLoss: fc.boolean(),
    recreate: fc.constant("viaBackup"),
    stream: mostly(fc.constantFrom("ORDERS", "BILLS"), oddText),
    account: fc.constantFrom("APP", "BILLING"),
  },
  { requiredKeys: [] },
);

/** A password in the wrong place. */
const misplaced = fc.constant({ password: MARKER });

const stream = fc.oneof(
  { weight: 12, arbitrary: someFields },
  { weight: 2, arbitrary: fc.tuple(someFields, policy).map(([a, b]) => ({ ...a, ...b })) },
  { weight: 1, arbitrary: misplaced },
);

const streams = fc.dictionary(fc.constantFrom("ORDERS", "EVENTS", "AUDIT"), stream, { maxKeys: 2 });
const oddStreams = fc.dictionary(oddText, fc.oneof(someFields, anything), { maxKeys: 2 });

/** A few fields of a bucket or an object store, its policy, and entries with secrets. */
function storesOf(table: Readonly<Record<string, Field>>, own: object) {
  const store = fc
    .subarray(Object.entries(table), { maxLength: 3 })
    .chain((some) => fields(Object.fromEntries(some)));
  return fc.dictionary(
    fc.constantFrom("CONFIG", "FILES", "a-b_c"),
    fc.tuple(store, fc.record(own, { requiredKeys: [] })).map(([a, b]) => ({ ...a, ...b })),
    { maxKeys: 2 },
  );
}

const ownOf = (name: string) => ({
  [name]: mostly(fc.constantFrom("CONFIG", "OTHER"), oddText),
  account: fc.constantFrom("APP", "BILLING"),
  adopt: fc.boolean(),
});
const entries = fc.dictionary(
  fc.oneof({ weight: 9, arbitrary: fc.constantFrom("a", "feature.x", "b/c=d") }, oddText),
  mostly(fc.constant(MARKER), fc.constant([MARKER])),
  { maxKeys: 2 },
);
const buckets = storesOf(BUCKET_FIELDS, {
  ...ownOf("bucket"),
  entries: mostly(entries, fc.constant(MARKER)),
});
const objectStores = storesOf(OBJECT_STORE_FIELDS, ownOf("objectStore"));
const oddStores = fc.dictionary(oddText, fc.oneof(someFields, anything), { maxKeys: 2 });

const subjects = fc.uniqueArray(mostly(subject, oddText), { minLength: 1, maxLength: 2 });
const rules = fc.record({ allow: subjects, deny: subjects }, { requiredKeys: [] });
const user = fc.record({
  nkey: fc.constant("UCIVMA776LEQLIVDZSBIWDMGZRUE7KSTXCSBMRKYF7CAMXEJYH5FQCNF"),
  permissions: fc.record({ publish: rules, subscribe: rules }, { requiredKeys: [] }),
});
const account = fc.record(
  {
    users: fc.dictionary(fc.oneof({ weight: 9, arbitrary: label }, oddText), user, { maxKeys: 1 }),
    limits: fc.record(
      {
        connections: fc.nat(99),
        subscriptions: fc.nat(99),
        payload: mostly(fc.constantFrom("4KiB", "64KiB"), size),
      },
      { requiredKeys: [] },
    ),
    jetStream: fc.oneof(
      fc.boolean(),
      fc.record({ maxFileStore: size, maxStreams: fc.integer({ min: 1, max: 9 }) }),
    ),
    mappings: mostly(
      fc.constantFrom<object>(
        { "m.*": "x.$1" },
        { "ü.>": "y.>", c: [{ destination: "d", weight: 40 }] },
      ),
      fc.dictionary(oddText, oddText, { maxKeys: 1 }),
    ),
    exports: fc.array(fc.oneof(fc.record({ stream: subject }), fc.record({ service: subject })), {
      maxLength: 1,
    }),
  },
  { requiredKeys: [] },
);
const accounts = fc.dictionary(fc.constantFrom("BILLING", "AUDIT"), account, { maxKeys: 2 });

/** Options of several types, and maps with any keys. */
const serverConfig = fc.record(
  {
    max_traced_msg_len: fc.nat(9_999),
    no_fast_producer_stall: fc.boolean(),
    lame_duck_duration: fc.constantFrom("30s", "2m"),
    server_metadata: fc.dictionary(fc.constantFrom("a", "Zone", "ü", "x y", "$A", "#"), oddText, {
      maxKeys: 2,
    }),
    jetstream: fc.record(
      { domain: fc.constant("hub"), limits: fc.constant({ batch: { max_msgs: 9 } }) },
      { requiredKeys: [] },
    ),
    cluster: fc.record({ compression: fc.constantFrom("off", "s2_fast") }),
  },
  { requiredKeys: [] },
);
const oddServerConfig = fc.oneof(
  fc.record({ port: anything }),
  fc.record({ JetStream: anything }),
  fc.record({ leafnodes: fc.record({ authorization: misplaced }) }),
  fc.record({ leafnodes: fc.constant({ remotes: [{ url: `nats://${MARKER}@other` }] }) }),
  fc.record({ jetstream: fc.constant({ key: MARKER }) }),
  fc.record({ max_traced_msg_len: fc.constantFrom(null, [null], 1e300, 5e-324) }),
);

/** Arbitraries of the right and of the wrong values of a setting. */
type Values = readonly [fc.Arbitrary<unknown>, fc.Arbitrary<unknown>];

/** Settings with other values than their kind suggests. */
const OWN_VALUES: Readonly<Record<string, Values>> = {
  patience: [fc.constantFrom("10s", "2m", "1h30m"), oddDuration],
  regions: [
    fc.oneof(
      { weight: 15, arbitrary: names(REGIONS, 2) },
      { weight: 1, arbitrary: byRegion(names(ZONES, 2), 2) },
    ),
    fc.oneof(oddNames(REGIONS), byRegion(oddNames(ZONES), 0)),
  ],
  availabilityZones: [
    fc.oneof(
      { weight: 29, arbitrary: names(ZONES, 1) },
      { weight: 1, arbitrary: byRegion(names(ZONES, 1), 1) },
    ),
    oddNames(ZONES),
  ],
  nodesPerZone: [
    fc.oneof(
      { weight: 29, arbitrary: fc.integer({ min: 1, max: 3 }) },
      { weight: 1, arbitrary: byRegion(fc.integer({ min: 1, max: 2 }), 1) },
    ),
    oddNumber,
  ],
  uniqueTag: [
    fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom("az:", "rg:", "none") },
      { weight: 1, arbitrary: fc.constant("rack:") },
    ),
    oddText,
  ],
  witnesses: [
    fc.oneof(
      { weight: 14, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.constantFrom(["rg1"], ["rg1-az1"]) },
    ),
    oddNames(REGIONS),
  ],
  serverTags: [
    fc.oneof(
      { weight: 9, arbitrary: fc.constant({}) },
      {
        weight: 1,
        arbitrary: fc.record({ rg1: fc.subarray(["rack:1", "ssd", "Hot", "a'b", "é", "$X"]) }),
      },
    ),
    fc.dictionary(fc.oneof(fc.constantFrom(...REGIONS), oddText), fc.array(oddText)),
  ],
  image: [
    fc.constantFrom("nats:2.15.2", "nats:2.14.7-alpine", "a.b:5000/nats:v2.14.9"),
    fc.constantFrom("nats", "nats:latest", "nats:2.12.6", "nats:2.15.2@sha256:0", "nats:2.15.2 "),
  ],
  bindAddress: [
    fc.constantFrom("127.0.0.1", "0.0.0.0", "10.0.0.1", "::1", "::", "2001:DB8:0::5"),
    fc.constantFrom(
      "::ffff:1.2.3.4",
      "fe80::1%eth0",
      "localhost",
      "010.0.0.1",
      "1.2.3",
      "256.0.0.1",
      "127.0.0.1\n",
    ),
  ],
  memory: [size, oddSize],
  maxFileStore: [size, oddSize],
  maxMemoryStore: [fc.constantFrom("0", "32MiB", "64MiB", "1GiB"), oddSize],
  defaultMaxConsumers: [mostly(fc.constant(1_000), fc.integer({ min: 1, max: 99 })), oddNumber],
  // The port of a listener that is off is refused.
  leafNodePort: [fc.constant(0), oddPort],
  websocketPort: [mostly(fc.constant(0), port), oddPort],
  mqttPort: [mostly(fc.constant(0), port), oddPort],
  maxPending: [fc.constantFrom("64MiB", "1GiB"), oddSize],
  duplicateWindow: [fc.constantFrom("0", "400d"), oddDuration],
  maxPayload: [fc.constantFrom("1KiB", "64KiB", "1MiB", "64MiB"), oddSize],
  accounts: [accounts, fc.dictionary(oddText, fc.oneof(account, anything), { maxKeys: 2 })],
  tls: [fc.constantFrom("auto", "none", "stack"), oddText],
  tlsFiles: [fc.constant({ ca: "ca.pem", cert: "{node}.pem", key: "{node}.key" }), oddText],
  certificateLifetime: [fc.constantFrom("365d", "1h"), oddDuration],
  certificateNames: [
    fc.subarray(["nats.example.com", "*.example.com", "10.0.0.7"]),
    fc.array(oddText, { maxLength: 2 }),
  ],
  monitorAddress: [fc.constantFrom("127.0.0.1", "10.0.0.7"), oddText],
  engines: [fc.constant({}), oddText],
  advertise: [fc.constantFrom("auto", "none", "{node}.example.com:{port}"), oddText],
  lost: [fc.constant([]), oddText],
  clientTls: [fc.constant({ cert: "clients.pem", key: "clients.key" }), oddText],
  clientCertificates: [fc.constant({ ca: "clients.pem" }), oddText],
  streams: [streams, oddStreams],
  buckets: [mostly(fc.constant({}), buckets), fc.oneof(oddStores, fc.constant({ CONFIG: MARKER }))],
  objectStores: [mostly(fc.constant({}), objectStores), oddStores],
  config: [serverConfig, oddServerConfig],
};

function valuesByKind(name: string, setting: Setting): Values {
  switch (setting.kind) {
    case "label":
      return [label, oddText];
    case "count":
      return [fc.integer({ min: setting.least, max: setting.most }), oddNumber];
    case "port":
      return [port, oddPort];
    case "size":
      return [fc.constantFrom(setting.least, setting.default, setting.most ?? "2GiB"), oddSize];
    case "duration":
      return [fc.constantFrom(setting.least, setting.default, "1h30m"), oddDuration];
    case "sync interval":
      return [fc.oneof(fc.constant("always"), duration), oddDuration];
    case "choice":
      return [fc.constantFrom(...setting.values), oddText];
    case "flag":
      return [fc.boolean(), oddText];
    default:
      throw new Error(`${name}: no values are known of the kind ${setting.kind}`);
  }
}

const VALUES: Readonly<Record<string, Values>> = Object.fromEntries(
  Object.entries<Setting>(SETTINGS)
    .filter(([, { kind }]) => kind !== "password")
    .map(([name, setting]) => [name, OWN_VALUES[name] ?? valuesByKind(name, setting)]),
);

/** All settings. */
export const SETTING_NAMES: ReadonlySet<string> = new Set(Object.keys(SETTINGS));

const password = fc.oneof(
  fc.constantFrom(...ODD_TEXTS.filter((text) => text !== "")),
  fc.string({ unit: "binary", minLength: 1, maxLength: 40 }),
  fc.tuple(oddText, oddText).map(([before, after]) => `${before}${MARKER}${after}`),
);
const oddPassword = fc.constantFrom("", `$2a$11$${MARKER}`, `$2b$04$`, MARKER.repeat(2_000));

/** Wrong values of one or two settings. */
const wrong = fc
  .subarray(Object.entries(VALUES), { minLength: 1, maxLength: 2 })
  .chain((some) => record(some, ([, odd]) => fc.oneof({ weight: 3, arbitrary: odd }, anything)));

const wrongPasswords = fc.record(
  { password: oddPassword, systemPassword: oddPassword },
  { requiredKeys: [] },
);

/**
 * Settings as users may write them: some have wrong values, in the others each value is right by itself. The planner
 * judges whether they fit together.
 */
export const fuzzedSettings: fc.Arbitrary<ConfigTexts> = fc
  .tuple(
    fc.subarray(Object.entries(VALUES)).chain((some) => record(some, ([usual]) => usual)),
    fc.record({ password, systemPassword: password }),
    fc.oneof(
      { weight: 6, arbitrary: fc.constant({}) },
      { weight: 4, arbitrary: wrong },
      { weight: 1, arbitrary: wrongPasswords },
      { weight: 1, arbitrary: fc.dictionary(oddText, fc.constant(MARKER), { maxKeys: 1 }) },
      { weight: 1, arbitrary: fc.constant({ password: undefined }) },
    ),
  )
  .map((parts) => toTexts(Object.assign({}, ...parts)));

function record<T>(
  entries: readonly (readonly [string, T])[],
  valuesOf: (item: T) => fc.Arbitrary<unknown>,
): fc.Arbitrary<object> {
  return fc.record(Object.fromEntries(entries.map(([name, item]) => [name, valuesOf(item)])));
}

/** Pulumi's form: strings as they are, anything else as JSON. */
function toTexts(settings: object): ConfigTexts {
  return Object.fromEntries(
    Object.entries(settings)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}
