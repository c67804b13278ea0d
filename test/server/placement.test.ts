import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Fleet,
  type Placement,
  type PlacementRequest,
  placementRequest,
  plannedHosts,
  planPlacement,
  type Server,
} from "../../lib/placement/placement.ts";
import { NO_STREAMS_TAG, regionTag } from "../../lib/topology/tags.ts";
import {
  closeConnections,
  JetStreamError,
  type JetStreamPort,
  openJetStream,
} from "../../live/jetstream/jetstream.ts";
import { type Counts, countsIn, draftWith, estates } from "../support/estates.ts";
import { markerOf, startCluster, type TestCluster } from "../support/nats-cluster.ts";
import { SEED_SERVERS } from "../support/seed.ts";

/**
 * The planner against the real one: nine servers that get other tags again and again while they run, and
 * random requests each time. `unique_tag` takes a restart ("config reload not supported for
 * JetStreamUniqueTag", nats-server 2.15), so there is a cluster for each.
 *
 * PLACEMENT_CASES: how many requests in all. PLACEMENT_SEED: the seed to draw them from, as the tests'
 * names give it. PLACEMENT_CASE: one {@link Case}, as a failure prints it, instead.
 */
const CASES = Number(process.env.PLACEMENT_CASES ?? 600);
const SEED = Number(process.env.PLACEMENT_SEED ?? Date.now() % 1_000_000);
const CASE: Case | undefined = process.env.PLACEMENT_CASE && JSON.parse(process.env.PLACEMENT_CASE);

/** As configured; the server compares in lower case. "RG" has no colon, and so is the start of `rgb:1` too. */
const UNIQUE_TAGS = CASE ? [CASE.uniqueTag] : ["az:", "RG", "rack:", ""];
const CASES_EACH = CASE ? 1 : Math.ceil(CASES / UNIQUE_TAGS.length);
/** Between two changes of tags. */
const REQUESTS = 25;
/** Requests under way at the same time. */
const WORKERS = 4;

type TagsByServer = Readonly<Record<string, readonly string[]>>;

interface ProbeRequest extends PlacementRequest {
  /** How many replicas servers of each region must get; absent: as it comes. */
  readonly counts?: Counts;
}

interface Case {
  readonly uniqueTag: string;
  readonly tags: TagsByServer;
  readonly request: ProbeRequest;
}

interface Round {
  readonly tags: TagsByServer;
  readonly requests: readonly ProbeRequest[];
}

const TAGS = ["rg:1", "rg:2", "rg:3", "az:1", "az:2", "az:3", "xr:123", "xr:231"];

const known = tagOf(TAGS);

function tagOf(tags: readonly string[]): fc.Arbitrary<string> {
  return fc.constantFrom(...tags).chain(spelled);
}

function spelled(tag: string): fc.Arbitrary<string> {
  return fc.constantFrom(tag, tag, tag, tag.toUpperCase(), ` ${tag}\t`);
}

/** Tags as a plan would give them, one perhaps left out, in any order and spelling. */
function orderlyTags({ tags }: Server): fc.Arbitrary<string[]> {
  return fc
    .shuffledSubarray([...tags], { minLength: tags.length - 1 })
    .chain((some) => fc.tuple(...some.map(spelled)));
}

/** Tags that no plan would give: none or twice the same, two regions, blanks. */
const oddTags = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: known },
    { weight: 2, arbitrary: fc.constantFrom("", " ", "rgb:1", "azure:1", "jetstream") },
  ),
  { maxLength: 6 },
);

function serverTags(server: Server): fc.Arbitrary<readonly [string, readonly string[]]> {
  const drained = fc.constantFrom([], [], [], [], [], [], [], ["!jetstream"], ["!JetStream "]);
  return fc
    .tuple(
      fc.oneof({ weight: 3, arbitrary: orderlyTags(server) }, { weight: 2, arbitrary: oddTags }),
      drained,
    )
    .map(([tags, drain]) => [server.name, [...drain, ...tags]]);
}

function wantedTag(tags: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(
      fc.constantFrom("", "", "", "!", "!", "! ", "!!"),
      fc.oneof(
        { weight: 6, arbitrary: tagOf(tags) },
        { weight: 1, arbitrary: fc.constantFrom("rg:9", "rg:", "rgb:1", "", " ", "jetstream") },
      ),
    )
    .map(([not, text]) => `${not}${text}`);
}

/** @param tags those that servers may have. */
function request(tags: readonly string[]): fc.Arbitrary<PlacementRequest> {
  const wanted = wantedTag(tags);
  return fc.record({
    replicas: fc.constantFrom(1, 1, 2, 2, 3, 3, 4, 5),
    tags: fc.oneof(
      { weight: 1, arbitrary: fc.constant<string[]>([]) },
      { weight: 5, arbitrary: fc.array(wanted, { minLength: 1, maxLength: 1 }) },
      { weight: 2, arbitrary: fc.array(wanted, { minLength: 2, maxLength: 3 }) },
      { weight: 1, arbitrary: wanted.map((tag) => [tag, tag]) },
    ),
    cluster: fc.constantFrom("", "", "", "", "", "", "c1", "c1", "c1", "C1", "c2"),
  });
}

function requests(tags: readonly string[]): fc.Arbitrary<PlacementRequest[]> {
  return fc.array(request(tags), { minLength: REQUESTS, maxLength: REQUESTS });
}

/** The seed's servers, with tags in any order, or with other ones. */
const seedRound: fc.Arbitrary<Round> = fc.record({
  tags: fc
    .tuple(...SEED_SERVERS.map(serverTags))
    .map((entries): TagsByServer => Object.fromEntries(entries)),
  requests: requests(TAGS),
});

/** The setting that means the same as a server's `unique_tag`. */
const SETTINGS: Readonly<Record<string, string>> = { RG: "rg:", "": "none" };

/** Streams that have a number of replicas in each region, of each round. */
const COUNTED = 8;

/**
 * The seed's servers, with the tags of another cluster's nodes, whose regions need not be alike. Those that are too many
 * belong to no region, and take no replicas.
 */
function estateRound(uniqueTag: string): fc.Arbitrary<Round> {
  return estates(SETTINGS[uniqueTag] ?? uniqueTag)
    .chain((estate) =>
      fc.tuple(
        fc.constant(estate),
        fc.array(countsIn(estate), { minLength: COUNTED, maxLength: COUNTED }),
      ),
    )
    .chain(([estate, counts]) => {
      const { fleet, streams } = draftWith(estate, counts);
      const tags = SEED_SERVERS.map(({ name }, index) => {
        return [name, fleet.servers[index]?.tags ?? [NO_STREAMS_TAG]] as const;
      });
      const counted = streams.flatMap(({ config, problems }, index) =>
        problems.length > 0 ? [] : [{ ...placementRequest(config), counts: counts[index] ?? {} }],
      );
      const known = [...new Set(fleet.servers.flatMap((server) => server.tags))];
      return requests(known).map((others) => ({
        tags: Object.fromEntries(tags),
        requests: [...counted, ...others].slice(0, REQUESTS),
      }));
    });
}

function drawRounds(uniqueTag: string): readonly Round[] {
  if (CASE) return [{ tags: CASE.tags, requests: [CASE.request] }];
  const numRuns = Math.ceil(CASES_EACH / REQUESTS / 2);
  return [seedRound, estateRound(uniqueTag)].flatMap((round) =>
    fc.sample(round, { seed: SEED, numRuns }),
  );
}

/** The hosts that the server chose, sorted, or its description of why there are none. */
type Answer = readonly string[] | string;

/** Places streams for a moment, to see where they go. */
class Placer {
  /** Streams asked for, refused ones too. */
  asked = 0;
  readonly #port: JetStreamPort;

  constructor(port: JetStreamPort) {
    this.#port = port;
  }

  async place({ replicas, tags, cluster = "" }: PlacementRequest): Promise<Answer> {
    this.asked += 1;
    // A name of its own for each: the server may fail to recreate what it is still deleting.
    const name = `PROBE${this.asked}`;
    const placement = { tags, cluster };
    try {
      await this.#port.create({ name, storage: "memory", num_replicas: replicas, placement });
    } catch (error) {
      if (error instanceof JetStreamError && error.code === 10005) return error.description;
      throw error;
    }
    const { cluster: group } = await this.#port.info(name);
    await this.#port.delete(name);
    return [group?.leader ?? "", ...(group?.replicas ?? []).map((peer) => peer.name)].sort();
  }
}

/** In what the server did otherwise than planned, a sentence each. */
async function disagreements(
  placer: Placer,
  wanted: ProbeRequest,
  fleet: Fleet,
): Promise<string[]> {
  const planned = planPlacement(wanted, fleet);
  const actual = await placer.place(wanted);
  return [
    ...(isAcross(actual, wanted, fleet) ? [] : [`not as many in each region: ${show(actual)}`]),
    ...(agrees(planned, actual, wanted.replicas) ? [] : [`${show(planned)}, got ${show(actual)}`]),
    ...(await disagreementsOnEligible(placer, wanted, fleet)),
  ];
}

function agrees(planned: Placement, actual: Answer, replicas: number): boolean {
  if (typeof actual === "string") {
    return planned.kind === "impossible" && sortLists(planned.serverError) === sortLists(actual);
  }
  if (planned.kind === "impossible" || new Set(actual).size !== replicas) return false;
  if (planned.kind === "exact") return show(planned.hosts.toSorted()) === show(actual);
  return actual.every((host) => planned.candidates.includes(host));
}

function isAcross(actual: Answer, { counts }: ProbeRequest, { servers }: Fleet): boolean {
  if (counts === undefined) return true;
  const hosts = servers.filter(({ name }) => actual.includes(name));
  return Object.entries(counts).every(([region, count]) => {
    const there = hosts.filter(({ tags }) => tags.includes(regionTag(region)));
    return there.length === count;
  });
}

/** The server lists tags in random order. */
function sortLists(error: string): string {
  return error.replace(
    /\[([^\]]*)\]/g,
    (_, list: string) => `[${list.split(", ").sort().join(", ")}]`,
  );
}

/**
 * Which servers may hold a replica: for each the server must take one when asked for that very server, and
 * none when all of these are ruled out.
 */
async function disagreementsOnEligible(
  placer: Placer,
  wanted: PlacementRequest,
  fleet: Fleet,
): Promise<string[]> {
  const one = { ...wanted, replicas: 1 };
  const planned = planPlacement(one, fleet);
  const names = planned.kind === "impossible" ? [] : plannedHosts(planned);
  const eligible = fleet.servers.filter(({ name }) => names.includes(name));
  const found: string[] = [];
  for (const server of eligible) {
    const actual = await placer.place({ ...one, tags: [...one.tags, markerOf(server)] });
    if (show(actual) !== show([server.name])) {
      found.push(`${server.name} should be eligible, got ${show(actual)}`);
    }
  }
  const barred = eligible.map((server) => `!${markerOf(server)}`);
  const beyond = await placer.place({ ...one, tags: [...one.tags, ...barred] });
  if (typeof beyond !== "string") found.push(`${show(beyond)} should not be eligible`);
  return found;
}

function show(value: Placement | Answer | Readonly<Record<string, number>>): string {
  return JSON.stringify(value);
}

interface Mismatch {
  readonly where: Case;
  readonly reasons: readonly string[];
}

function describeMismatches(mismatches: readonly Mismatch[]): string {
  const size = ({ where }: Mismatch) => where.request.tags.join().length;
  const [simplest] = mismatches.toSorted((a, b) => size(a) - size(b));
  return [
    `${mismatches.length} requests are placed otherwise than planned; the simplest one:`,
    ...(simplest?.reasons ?? []),
    `PLACEMENT_CASE='${JSON.stringify(simplest?.where)}' npx vitest run --project server test/server/placement.test.ts`,
  ].join("\n");
}

describe.each(UNIQUE_TAGS)('with unique_tag "%s"', (uniqueTag) => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await startCluster(SEED_SERVERS, uniqueTag);
  });

  afterAll(async () => {
    await closeConnections();
    await cluster.stop();
  });

  it(
    `nats-server places ${CASES_EACH} streams as planned (PLACEMENT_SEED=${SEED})`,
    async () => {
      const placer = new Placer(openJetStream(cluster.connection, cluster.account));
      const kinds = { exact: 0, choice: 0, impossible: 0 };
      const mismatches: Mismatch[] = [];
      for (const { tags, requests } of drawRounds(uniqueTag)) {
        const fleet = await cluster.retag(tags);
        const queue = requests.values();
        const work = async () => {
          for (const wanted of queue) {
            kinds[planPlacement(wanted, fleet).kind] += 1;
            const reasons = await disagreements(placer, wanted, fleet);
            const where = { uniqueTag, tags, request: wanted };
            if (reasons.length > 0) mismatches.push({ where, reasons });
          }
        };
        await Promise.all(Array.from({ length: WORKERS }, work));
      }
      console.log(`${show(kinds)} planned, ${placer.asked} streams asked for`);
      if (mismatches.length > 0) throw new Error(describeMismatches(mismatches));
      // A generator that found only one kind would prove little.
      if (CASE) return;
      for (const count of Object.values(kinds)) expect(count).toBeGreaterThan(CASES_EACH / 100);
    },
    60_000 + CASES_EACH * 1_000,
  );
});
