/**
 * Lets go of nodes whose machines are lost for good: takes them out of the meta group, after which every stream that has
 * a replica left goes on with it. Streams without any are deleted first, where the settings allow that: the servers
 * would create some of them again, empty (nats-server 2.15, `reassignStreamPeers`), and would never answer for the
 * others. Run by a Command, before anything else waits for the meta group. Run again, it goes on where it was.
 *
 * stdin: JSON of a connection as a user of the system account, with the key of the stack's own users.
 */
import { json } from "node:stream/consumers";
import type { SettingsPlace } from "../lib/base/settings-place.ts";
import { pulumiCommand } from "../lib/base/settings-place.ts";
import type { ObservedCluster } from "../lib/observed/observed.ts";
import { type StreamName, streamKey } from "../lib/streams/stream-name.ts";
import {
  describeFates,
  describeRefusedLosses,
  describeUnasked,
  fatesOf,
  type StreamFate,
} from "../lib/update/lost-nodes.ts";
import { listOwnNodes, type OwnNode } from "../live/engine/own-nodes.ts";
import { enginesFromEnvironment } from "../live/engine/told-engines.ts";
import { systemConnectionSchema } from "../live/jetstream/connection.ts";
import {
  isSilence,
  type MetaGroupPort,
  openMetaGroup,
  StreamNotFound,
} from "../live/jetstream/jetstream.ts";
import { allStreams, openManaged } from "../live/jetstream/manager.ts";
import { retry } from "../live/jetstream/patience.ts";
import { LONG_REQUEST_MS } from "../live/monitoring/ask-node.ts";
import { behindIn, observeCluster } from "../live/monitoring/observe-cluster.ts";
import { hearsOf } from "../live/monitoring/system-account.ts";
import { forgetMember } from "./forget-member.ts";
import { awaitLeader } from "./meta-leader.ts";
import { scriptVariables, trustOf } from "./variables.ts";
import { waitFor } from "./wait-for.ts";

const PACE = { patience: 60_000, silence: 15_000, pause: 250 };

const variables = scriptVariables.pick({
  OWNER: true,
  NODES: true,
  LOST_NODES: true,
  ACCOUNTS: true,
  EXPENDABLE: true,
  PATIENCE: true,
  CA: true,
  SETTINGS_IN: true,
});

/** The cluster that is left. */
interface Rest {
  /** Its nodes. */
  readonly own: readonly OwnNode[];
  readonly metaGroup: MetaGroupPort;
  readonly connection: ReturnType<typeof systemConnectionSchema.parse>;
  readonly accounts: readonly string[];
  /** Streams whose messages may be lost. */
  readonly expendable: readonly StreamName[];
  /** Milliseconds. */
  readonly patience: number;
  /** Where the settings are. */
  readonly place: SettingsPlace;
}

export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const { OWNER, NODES, LOST_NODES, ACCOUNTS, EXPENDABLE, PATIENCE, CA, SETTINGS_IN } =
    variables.parse(env);
  const lost = LOST_NODES.filter((name) => !NODES.includes(name));
  const connection = systemConnectionSchema.parse(await json(process.stdin));
  const rest: Rest = {
    own: await listOwnNodes(enginesFromEnvironment(env), OWNER, trustOf(CA)),
    metaGroup: openMetaGroup(connection),
    connection,
    accounts: ACCOUNTS,
    expendable: EXPENDABLE,
    patience: PATIENCE,
    place: SETTINGS_IN,
  };
  await refuseLiving(lost, rest);
  await awaitLeader(lost, rest);
  const fates = await judge(lost, rest);
  await deleteGone(fates, rest);
  for (const name of lost) await retry(() => forgetMember(name, rest.metaGroup), PACE);
  await awaitStreams(lost, rest);
  console.error(`${lost.join(", ")}: out of the meta group`);
}

async function refuseLiving(lost: readonly string[], { own }: Rest): Promise<void> {
  const signs = await Promise.all(
    lost.map(async (name) => ({
      name,
      heard: await Promise.all(own.map((node) => hearsOf(node, name))),
    })),
  );
  const unasked = signs.find(({ heard }) => heard.every((each) => each === undefined));
  if (unasked) throw new Error(describeUnasked(unasked.name));
  const living = signs.flatMap(({ name, heard }) => (heard.includes(true) ? [name] : []));
  if (living.length > 0) throw new Error(`lost: the other servers hear of ${living.join(", ")}`);
}

/** @throws Error if something would be lost that may not be, or if a node isn't there to tell what it holds. */
async function judge(lost: readonly string[], rest: Rest): Promise<readonly StreamFate[]> {
  const { own, connection, accounts, expendable, place } = rest;
  const observed = await observeCluster(own, LONG_REQUEST_MS);
  if (observed.silent.length > 0) {
    throw new Error(
      `lost: no answer from ${observed.silent.join(", ")}, so that what only they hold can't be told from what is lost; "${pulumiCommand(place)} up" again once they run`,
    );
  }
  const known = await allStreams(connection, accounts, PACE);
  const fates = fatesOf(observed.streams, known, new Set(lost));
  const { refused } = describeFates(fates, expendable);
  if (refused.length > 0) throw new Error(describeRefusedLosses(lost, refused));
  return fates;
}

/** Deletes streams without any replica. The servers do so, but never answer, as only a replica would. */
async function deleteGone(fates: readonly StreamFate[], rest: Rest): Promise<void> {
  const gone = fates.filter(({ kind }) => kind === "gone");
  await Promise.all(
    gone.map(async ({ account, name }) => {
      try {
        await openManaged(rest.connection, account).delete(name);
      } catch (error) {
        if (!isSilence(error) && !(error instanceof StreamNotFound)) throw error;
      }
    }),
  );
  if (gone.length === 0) return;
  const keys = new Set(gone.map(streamKey));
  await waitFor(
    async () => {
      const known = await allStreams(rest.connection, rest.accounts, PACE);
      const left = known.filter((stream) => keys.has(streamKey(stream)));
      return left.length === 0 ? undefined : { reason: left.map(({ name }) => name).join(", ") };
    },
    {
      patience: rest.patience,
      pause: PACE.pause,
      say: (line) => console.error(`waiting for lost streams to be deleted: ${line}`),
      describeStall: (sight) => `lost streams can't be deleted: ${sight}`,
    },
  );
}

/** Waits until every stream with a replica has a leader, and none counts on a lost node any more. */
async function awaitStreams(
  lost: readonly string[],
  { own, patience, place }: Pick<Rest, "own" | "patience" | "place">,
): Promise<void> {
  const gone = new Set(lost);
  await waitFor(
    async () => {
      const observed = await observeCluster(own, LONG_REQUEST_MS);
      const reason = whyNotThrough(observed, gone);
      return reason === undefined ? undefined : { reason, behind: behindIn(observed) };
    },
    {
      patience,
      pause: PACE.pause,
      say: (line) => console.error(`waiting for what is left: ${line}`),
      describeStall: (sight) =>
        `what is left isn't well: ${sight}; run "${pulumiCommand(place)} up" again`,
    },
  );
}

function whyNotThrough(
  { streams, silent, meta }: ObservedCluster,
  lost: ReadonlySet<string>,
): string | undefined {
  if (silent.length > 0) return `no answer from ${silent.join(", ")}`;
  if (!meta) return "the meta group has no leader";
  const members = meta.hosts.filter((host) => lost.has(host));
  if (members.length > 0) return `the meta group counts ${members.join(", ")}`;
  const headless = streams.filter(({ leader }) => leader === "").map(({ name }) => name);
  return headless.length === 0 ? undefined : `no leader of ${headless.join(", ")}`;
}
