import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planPlacement, type Server } from "../../lib/placement.ts";
import type { StreamConfig } from "../../lib/stream-config.ts";
import {
  closeConnections,
  JetStreamError,
  type JetStreamPort,
  openJetStream,
} from "../../providers/jetstream.ts";
import { startCluster, type TestCluster } from "../support/nats-cluster.ts";
import { SEED_SERVERS } from "../support/seed.ts";

const CASES = 200;

const carried = fc.constantFrom(
  ...[
    "rg:1",
    "rg:2",
    "rg:3",
    "RG:1",
    " rg:2",
    "az:1",
    "az:3",
    "AZ:2",
    "xr:123",
    "xr:231",
    "rg:9",
    "",
  ],
);
const tag = fc
  .tuple(fc.constantFrom("", "", "", "!"), carried)
  .map(([not, text]) => `${not}${text}`);
const request = fc.record({
  replicas: fc.integer({ min: 1, max: 5 }),
  tags: fc.oneof(
    { weight: 3, arbitrary: fc.array(tag, { minLength: 1, maxLength: 1 }) },
    { weight: 2, arbitrary: fc.array(tag, { minLength: 2, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.constant<string[]>([]) },
  ),
  cluster: fc.constantFrom("", "", "", "", "c1", "C1"),
});

/** Servers that a plan would not make: drained, without the unique tag, with two of them. */
const ODD_SERVERS: readonly Server[] = [
  ["rg:1", "az:1"],
  ["RG:1", "az:2"],
  ["rg:2", "az:1", "rg:3"],
  ["az:3"],
  ["rg:3", "az:3", "!jetstream"],
  ["rg:3", "az:1", "xr:123"],
  ["rg:4", "xr:123"],
].map((tags, index) => ({ name: `odd-${index}`, cluster: "c1", tags }));

/** The server lists tags in random order. */
function sortLists(error: string): string {
  return error.replace(
    /\[([^\]]*)\]/g,
    (_, list: string) => `[${list.split(", ").sort().join(", ")}]`,
  );
}

describe.each([
  { fleet: "the seed's servers", uniqueTag: "az:", servers: SEED_SERVERS },
  { fleet: "odd servers", uniqueTag: "rg:", servers: ODD_SERVERS },
  { fleet: "odd servers that need not differ", uniqueTag: "", servers: ODD_SERVERS },
])("on $fleet", ({ uniqueTag, servers }) => {
  let cluster: TestCluster;
  let port: JetStreamPort;

  beforeAll(async () => {
    cluster = await startCluster(servers, uniqueTag);
    port = openJetStream(cluster.connection, cluster.account);
  });

  afterAll(async () => {
    await closeConnections();
    await cluster.stop();
  });

  it(`nats-server places streams as planned, ${CASES} times`, async () => {
    const verdicts = { exact: 0, choice: 0, impossible: 0 };
    await fc.assert(
      fc.asyncProperty(request, async (wanted) => {
        const planned = planPlacement(wanted, cluster.fleet);
        verdicts[planned.kind] += 1;
        const actual = await place(port, wanted);
        if (planned.kind === "impossible") {
          expect(actual).toBe(sortLists(planned.serverError));
        } else if (planned.kind === "exact") {
          expect(actual).toEqual(planned.hosts.toSorted());
        } else {
          expect(actual).toHaveLength(wanted.replicas);
          expect(planned.candidates).toEqual(expect.arrayContaining(actual as string[]));
        }
      }),
      { numRuns: CASES, endOnFailure: true },
    );
    // A generator that found only one kind would prove little.
    for (const count of Object.values(verdicts)) expect(count).toBeGreaterThan(CASES / 40);
  });
});

/** Hosts that the server chose, or its description of why there are none. */
async function place(
  port: JetStreamPort,
  { replicas, tags, cluster }: { replicas: number; tags: string[]; cluster: string },
): Promise<string[] | string> {
  const config: StreamConfig = {
    name: "PROBE",
    subjects: ["probe"],
    storage: "memory",
    num_replicas: replicas,
    placement: { tags, cluster },
  };
  try {
    await port.create(config);
  } catch (error) {
    if (error instanceof JetStreamError && error.code === 10005)
      return sortLists(error.description);
    throw error;
  }
  try {
    const { cluster: group } = await port.info("PROBE");
    return [group?.leader ?? "", ...(group?.replicas ?? []).map((peer) => peer.name)].sort();
  } finally {
    await port.delete("PROBE");
  }
}
