/** Asks the servers of a cluster that others run for what they are. */
import { createInbox, errors, type NatsConnection } from "nats";
import { z } from "zod";
import type { ToldFleet, ToldServer } from "../../lib/existing/fleet.ts";
import { parseVersion } from "../../lib/nodes/versions.ts";
import { denied, type Session, withClient } from "../jetstream/clients.ts";

/** All servers together have this long for their answers, milliseconds; far ones take some round trips. */
const ANSWERS_MS = 4_000;
/** Milliseconds without a further answer after which those that are counted but don't answer count as silent. */
const QUIET_MS = 1_500;

const member = z.object({ name: z.string() });

/** What is used of a server's `STATSZ` (nats-server 2.11 to 2.15, `ServerStatsMsg` in server/events.go). */
const statsz = z.object({
  server: z.object({
    name: z.string(),
    cluster: z.string().default(""),
    domain: z.string().default(""),
    ver: z.string(),
    tags: z.array(z.string()).nullish(),
  }),
  statsz: z.object({
    /** The servers that this one knows, itself among them. */
    active_servers: z.number().default(0),
    /** Absent if JetStream is off. */
    jetstream: z
      .object({
        config: z.object({ unique_tag: z.string().default("") }).nullish(),
        stats: z
          .object({ api: z.object({ level: z.number().default(0) }).prefault({}) })
          .prefault({}),
        /** The meta group as the server sees it; its leader knows all members. */
        meta: z
          .object({
            name: z.string().default(""),
            leader: z.string().default(""),
            cluster_size: z.number().default(0),
            replicas: z.array(member).nullish(),
          })
          .nullish(),
      })
      .nullish(),
  }),
});

/** `Info` in server/server.go. */
const greeting = z.object({ domain: z.string().default("") });

type Statsz = z.output<typeof statsz>;

/** Whoever is asked isn't a user of the system account. */
export class NotSystemAccount extends Error {
  override readonly name = "NotSystemAccount";
}

/**
 * The servers with JetStream in a domain, as they tell of themselves to a user of the system account.
 *
 * @param domain absent: that of the server that answers.
 * @throws NotSystemAccount; ClusterUnreachable; AccessDenied
 */
export async function askToldFleet(session: Session, domain?: string): Promise<ToldFleet> {
  return await withClient(session, async (client) => {
    const answers = await askAllServers(client, session);
    const wanted = domain ?? greeting.parse(client.info).domain;
    return readFleet(answers.filter(({ server }) => server.domain === wanted));
  });
}

async function askAllServers(client: NatsConnection, session: Session): Promise<Statsz[]> {
  const inbox = createInbox();
  const answers: Statsz[] = [];
  const all = client.subscribe(inbox);
  const deadline = setTimeout(() => all.unsubscribe(), ANSWERS_MS);
  let quiet: NodeJS.Timeout | undefined;
  client.publish("$SYS.REQ.SERVER.PING.STATSZ", "", { reply: inbox });
  try {
    for await (const message of all) {
      if (message.headers?.code === 503) {
        throw new NotSystemAccount("the servers answer this to users of the system account alone");
      }
      clearTimeout(quiet);
      quiet = setTimeout(() => all.unsubscribe(), QUIET_MS);
      answers.push(statsz.parse(message.json()));
      const known = Math.max(...answers.map((answer) => answer.statsz.active_servers));
      if (answers.length >= known) break;
    }
  } catch (error) {
    if (error instanceof errors.PermissionViolationError) throw denied(session, error);
    throw error;
  } finally {
    clearTimeout(deadline);
    clearTimeout(quiet);
    all.unsubscribe();
  }
  return answers;
}

function readFleet(answers: readonly Statsz[]): ToldFleet {
  const withJetStream = answers.flatMap(({ server, statsz: { jetstream } }) =>
    jetstream ? [{ server, jetstream }] : [],
  );
  const servers = withJetStream.map(({ server, jetstream }): ToldServer => {
    const { name, cluster, tags, ver } = server;
    const version = parseVersion(ver) ?? [0, 0, 0];
    return { name, cluster, tags: tags ?? [], version, apiLevel: jetstream.stats.api.level };
  });
  const leader = withJetStream.find(
    ({ server, jetstream: { meta } }) => meta?.leader === server.name,
  );
  const members = leader?.jetstream.meta?.replicas ?? [];
  const names = new Set(servers.map(({ name }) => name));
  const silent = members.map(({ name }) => name).filter((name) => !names.has(name));
  const size = Math.max(
    0,
    ...withJetStream.map(({ jetstream: { meta } }) => meta?.cluster_size ?? 0),
  );
  const unnamed = size - servers.length - silent.length;
  return {
    servers,
    uniqueTag: (leader ?? withJetStream[0])?.jetstream.config?.unique_tag ?? "",
    silent: unnamed > 0 ? [...silent, `${unnamed} more`] : silent,
  };
}
