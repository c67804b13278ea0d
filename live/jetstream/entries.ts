/** The entries of key-value buckets, as one account sees them. */

import { streamNameOf } from "../../lib/buckets/bucket-kinds.ts";
import { entrySubject } from "../../lib/buckets/bucket-stream.ts";
import type { Session } from "./clients.ts";
import type { Connection } from "./connection.ts";
import {
  ERROR_CODES,
  INFO_TIMEOUT_MS,
  JetStreamError,
  publishAcknowledged,
  REQUEST_TIMEOUT_MS,
  requestApi,
  type StoredMessage,
} from "./jetstream.ts";

/** Every method may throw what `JetStreamPort` throws; StreamNotFound if there is no such bucket. */
export interface EntriesPort {
  /** The value of a key; undefined if it has none, or none any more. Only what the stream's leader says counts. */
  get(bucket: string, key: string): Promise<string | undefined>;
  put(bucket: string, key: string, value: string): Promise<void>;
}

/** Opens the entries of an account's buckets. It shares its connection with the ports of `openJetStream`. */
export function openEntries(connection: Connection, account: string): EntriesPort {
  const session: Session = { connection, account };
  return {
    async get(bucket, key) {
      const verb = `STREAM.MSG.GET.${streamNameOf("bucket", bucket)}`;
      const query = JSON.stringify({ last_by_subj: entrySubject(bucket, key) });
      try {
        const reply = await requestApi(session, verb, query, INFO_TIMEOUT_MS);
        return valueIn((reply as { readonly message: StoredMessage }).message);
      } catch (error) {
        const { noMessageFound } = ERROR_CODES;
        if (error instanceof JetStreamError && error.code === noMessageFound) return undefined;
        throw error;
      }
    },
    put: (bucket, key, value) =>
      publishAcknowledged(session, entrySubject(bucket, key), value, REQUEST_TIMEOUT_MS),
  };
}

/** Clients delete a value by a message that says so; a server's marker says that the last one was too old (ADR-8). */
const GONE = /^(?:KV-Operation:\s*(?:DEL|PURGE)|Nats-Marker-Reason:)/im;

function valueIn({ hdrs, data = "" }: StoredMessage): string | undefined {
  const headers = hdrs === undefined ? "" : Buffer.from(hdrs, "base64").toString();
  return GONE.test(headers) ? undefined : Buffer.from(data, "base64").toString();
}
