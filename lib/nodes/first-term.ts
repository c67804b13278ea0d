import { DATA_DIR } from "./nats-conf.ts";
import { file, folder, pack } from "./node-files.ts";

/** Higher than any term that the other servers of a new group reach while they wait: each campaign adds one. */
const FIRST_TERM = 1_000;

/**
 * Packs the file with which a server that starts last wins the first election of a new meta group at once. Otherwise
 * the group elects its first leader 4 to 9 s after its servers start, unless all of them start within a tenth of a
 * second (nats-server 2.15):
 *
 * - A server without state campaigns 0.1 to 0.8 s after its start, and later every 4 to 9 s (`setupMetaGroup` in
 *   server/jetstream_cluster.go, `randElectionTimeout` in server/raft.go).
 * - A group without state needs the votes of all its members (`runAsCandidate` in server/raft.go). But each of them
 *   votes once in a term, and has voted for itself in the first term when the last one comes.
 *
 * The file has the term that the server knows, and no vote (`readTermVote` in server/raft.go). A term that is too high
 * does no harm: any vote request may raise it. Without the file, or if a server doesn't understand it, the group waits
 * for the later campaigns.
 *
 * @returns base64, as a shell script reads it.
 */
export function packFirstTerm(): string {
  const term = new Uint8Array(8);
  new DataView(term.buffer).setBigUint64(0, BigInt(FIRST_TERM), true);
  const folders = ["jetstream", "$SYS", "_js_", "_meta_"].map((_, index, names) =>
    [DATA_DIR, ...names.slice(0, index + 1)].join("/"),
  );
  return pack([...folders.map(folder), file(`${folders.at(-1)}/tav.idx`, term, "640")]);
}
