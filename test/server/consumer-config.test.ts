import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { diffConsumer, requestedConfig } from "../../lib/consumers/consumer-diff.ts";
import type { ConsumerConfig } from "../../lib/consumers/consumer-fields.ts";
import { validateConsumer } from "../../lib/consumers/consumer-rules.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import { subjectsOverlap } from "../../lib/streams/subjects.ts";
import { type ConsumerPort, openConsumers } from "../../live/jetstream/consumers.ts";
import { JetStreamError } from "../../live/jetstream/jetstream.ts";
import { eventually } from "../support/eventually.ts";
import { type OpenCluster, openCluster } from "../support/open-cluster.ts";

/** What the server makes of consumers' configs, against what the field table and the rules say that it does. */

const CASES = 300;
const SECOND = 1_000_000_000;
const MILLISECOND = 1_000_000;

const STREAMS: readonly StreamConfig[] = [
  { name: "LIMITS", subjects: ["l.>"], num_replicas: 3 },
  { name: "INTEREST", subjects: ["i.>"], num_replicas: 3, retention: "interest" },
  { name: "QUEUE", subjects: ["q.>"], num_replicas: 1, retention: "workqueue" },
];

let opened: OpenCluster;
let port: ConsumerPort;
/** A name of its own for each case: the server may still be deleting the former one. */
let probes = 0;

beforeAll(async () => {
  opened = await openCluster(
    [1, 2, 3].map((number) => ({ name: `n${number}`, cluster: "c1", tags: [`az:${number}`] })),
  );
  port = openConsumers(opened.cluster.connection, opened.cluster.account);
  for (const stream of STREAMS) await opened.port.create(stream);
});

afterAll(() => opened.close());

type Fields = Omit<ConsumerConfig, "name">;

const rarely = fc.constantFrom(false, false, false, true);
const fields: fc.Arbitrary<Fields> = fc
  .record({
    description: fc.constantFrom("", "about orders"),
    filter_subject: fc.constantFrom("", "l.a", "l.*", "a b"),
    filter_subjects: fc.constantFrom<string[][]>([], ["l.a"], ["l.a", "l.b"], ["l.*", "l.a"]),
    deliver_policy: fc.constantFrom("all", "all", "new", "last", "last_per_subject"),
    opt_start_seq: fc.constantFrom(0, 0, 5),
    ack_policy: fc.constantFrom("explicit", "explicit", "all", "none", "flow_control"),
    ack_wait: fc.constantFrom(0, SECOND, 30 * SECOND, -1),
    backoff: fc.constantFrom([], [SECOND], [SECOND, 5 * SECOND], [30 * SECOND, SECOND]),
    max_deliver: fc.constantFrom(-1, 0, 1, 5),
    max_ack_pending: fc.constantFrom(-1, 0, 10, 1_000),
    max_waiting: fc.constantFrom(0, 10, 512),
    max_batch: fc.constantFrom(0, 10),
    max_expires: fc.constantFrom(0, SECOND, 1_000),
    max_bytes: fc.constantFrom(-1, 1_000),
    deliver_subject: fc.constantFrom("", "to.here", "to.there", "to.*", "l.back", "i.back"),
    deliver_group: fc.constantFrom("", "group"),
    flow_control: rarely,
    idle_heartbeat: fc.constantFrom(0, SECOND, 50 * MILLISECOND),
    rate_limit_bps: fc.constantFrom(0, 1_000_000),
    headers_only: fc.boolean(),
    replay_policy: fc.constantFrom("instant", "original"),
    sample_freq: fc.constantFrom("", "0", "30", "30%", "many"),
    inactive_threshold: fc.constantFrom(0, 3_600 * SECOND),
    num_replicas: fc.constantFrom(0, 0, 1, 3, 5),
    mem_storage: rarely,
    metadata: fc.constantFrom<Record<string, string>[]>({}, { team: "orders" }),
    pause_until: fc.constantFrom("2126-01-31T12:00:00Z", "2026-01-31T13:00:00+01:00"),
    priority_policy: fc.constantFrom("none", "overflow", "pinned_client", "prioritized"),
    priority_groups: fc.constantFrom<string[][]>([], ["a"], ["a", "b"], ["a b"]),
    priority_timeout: fc.constantFrom(0, SECOND, 120 * SECOND),
    sourcing: rarely,
  })
  .chain(sparsely);

/** Few fields at a time: with all of them nearly every config would be refused. */
function sparsely(all: Fields): fc.Arbitrary<Fields> {
  const entries = Object.entries(all);
  return fc
    .subarray(entries, { minLength: 0, maxLength: 5 })
    .map((some) => Object.fromEntries(some));
}

async function refusal(work: Promise<void>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof JetStreamError) return error.message;
    throw error;
  }
}

function probe(of: Fields): ConsumerConfig {
  return { ...of, name: `probe${probes}` };
}

/** A work queue has one consumer without filters. */
async function forget(): Promise<void> {
  for (const { name } of STREAMS) await port.delete(name, `probe${probes}`).catch(() => undefined);
  probes += 1;
}

function problemsOf(config: ConsumerConfig, stream: StreamConfig): string[] {
  return validateConsumer(config, stream).map(({ path, message }) => `${path}: ${message}`);
}

const stream = fc.constantFrom(...STREAMS);

it(`the server accepts and keeps what the rules let pass, and refuses the rest, ${CASES} times`, async () => {
  const verdicts = { accepted: 0, refused: 0 };
  await fc.assert(
    fc
      .asyncProperty(stream, fields, async (stream, given) => {
        const wanted = probe(given);
        const problems = problemsOf(wanted, stream);
        const error = await refusal(port.put(stream.name, requestedConfig(wanted), "create"));
        if (error === undefined) {
          verdicts.accepted += 1;
          expect(problems.filter(isRefusedByServer)).toEqual([]);
          if (problems.length > 0) return;
          const { config: kept } = await port.info(stream.name, wanted.name);
          expect(diffConsumer(kept, wanted)).toEqual([]);
        } else {
          verdicts.refused += 1;
          expect(problems, error).not.toEqual([]);
        }
      })
      .afterEach(forget),
    { numRuns: CASES, endOnFailure: true },
  );
  for (const count of Object.values(verdicts)) expect(count).toBeGreaterThan(CASES / 10);
}, 120_000);

it(`the server takes updates as foreseen, ${CASES} times`, async () => {
  const verdicts = { accepted: 0, refused: 0 };
  await fc.assert(
    fc
      .asyncProperty(stream, fields, fields, async (stream, ...pair) => {
        const [from, to] = pair.map(probe);
        if (!from || !to) return;
        fc.pre(problemsOf(from, stream).length === 0 && problemsOf(to, stream).length === 0);
        fc.pre(!isTaken(from) && !(from.sourcing && to.sourcing));
        await port.put(stream.name, requestedConfig(from), "create");
        const changes = diffConsumer(from, to).filter(({ path }) => path !== "pauseUntil");
        const refused = changes.filter(({ effect }) => effect === "refused");
        const error = await refusal(port.put(stream.name, requestedConfig(to), "update"));
        if (error === undefined) {
          verdicts.accepted += 1;
          expect(refused).toEqual([]);
          await port.pause(stream.name, to.name, to.pause_until);
          // The server answers a request to pause before it is carried out.
          await eventually(async () => {
            const { config: kept } = await port.info(stream.name, to.name);
            expect(diffConsumer(kept, to)).toEqual([]);
            return true;
          });
        } else {
          verdicts.refused += 1;
          expect(refused, error).not.toEqual([]);
        }
      })
      .afterEach(forget),
    { numRuns: CASES, endOnFailure: true },
  );
  for (const count of Object.values(verdicts)) expect(count).toBeGreaterThan(CASES / 20);
}, 120_000);

/** Whether another stream takes what a consumer sends: nobody may then change where that goes (error 10013). */
function isTaken({ deliver_subject: subject = "" }: ConsumerConfig): boolean {
  return STREAMS.some(({ subjects = [] }) =>
    subjects.some((each) => subjectsOverlap(each, subject)),
  );
}

/** The server would silently drop or never act upon what these are about; we want it said. */
function isRefusedByServer(problem: string): boolean {
  const silent = [
    "ackWait: backoff begins",
    // With backoff, which overrides it.
    "ackWait: -1ns is negative",
    "ackWait: excludes ackPolicy: none",
    "backoff: excludes ackPolicy: none",
    "maxBatch: excludes",
    "maxExpires: excludes",
    "maxBytes: excludes",
    "deliverGroup: it is for push",
    "flowControl: excludes ackPolicy: flow_control",
    "idleHeartbeat: is always 1s",
  ];
  return !silent.some((text) => problem.startsWith(text));
}
