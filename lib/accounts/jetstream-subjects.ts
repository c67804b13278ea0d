/**
 * The subjects that clients of JetStream use, by what they do (nats-server 2.15, `jetstream_api.go`; which of them clients
 * need was seen with @nats-io/jetstream and @nats-io/kv 3.4).
 */
import { createHash } from "node:crypto";
import type { ConsumerConfig } from "../consumers/consumer-fields.ts";

/** Subjects to publish to, those of them that are excepted, and subjects to subscribe to. */
export interface SubjectNeeds {
  readonly publish: readonly string[];
  readonly except?: readonly string[];
  readonly subscribe?: readonly string[];
}

/** What a client that gets messages from a consumer needs, and nothing that changes the consumer. */
export function consumerNeeds(
  account: string,
  stream: string,
  { name, ack_policy: acks, flow_control: flows, ...config }: ConsumerConfig,
): SubjectNeeds {
  const { deliver_subject: subject = "", deliver_group: group = "" } = config;
  const place = `${stream}.${name}`;
  return {
    publish: [
      `$JS.API.CONSUMER.INFO.${place}`,
      ...(subject === "" ? [`$JS.API.CONSUMER.MSG.NEXT.${place}`] : []),
      ...(acks === "none" ? [] : answersTo("ACK", account, `${place}.>`)),
      // The server switches it on for that policy.
      ...(flows || acks === "flow_control" ? answersTo("FC", account, `${place}.>`) : []),
    ],
    subscribe: subject === "" ? [] : [group === "" ? subject : `${subject} ${group}`],
  };
}

/** What a client needs to get messages by sequence, by time or by subject, and a stream's state and config. */
export function readerNeeds(stream: string): SubjectNeeds {
  return {
    publish: [
      // What clients' libraries ask for first. It tells the limits of the account, and how much is used.
      "$JS.API.INFO",
      `$JS.API.STREAM.INFO.${stream}`,
      `$JS.API.STREAM.MSG.GET.${stream}`,
      `$JS.API.DIRECT.GET.${stream}`,
      `$JS.API.DIRECT.GET.${stream}.>`,
    ],
  };
}

/**
 * What a client needs to follow a stream by consumers that it makes itself: it gives them names at random, so it needs
 * subjects for any name.
 *
 * The legacy subject `$JS.API.CONSUMER.CREATE.<stream>` isn't among them: the name is in the message there, so that it would
 * change any consumer. `$JS.API.CONSUMER.DELETE` isn't either: the servers delete these consumers once nobody uses them.
 *
 * @param kept names of consumers that it must neither change nor take messages from.
 * @param consumed those of them from which it may take messages.
 */
export function watcherNeeds(
  account: string,
  stream: string,
  kept: readonly string[],
  consumed: readonly string[],
): SubjectNeeds {
  return {
    publish: [
      "$JS.API.INFO",
      `$JS.API.STREAM.INFO.${stream}`,
      `$JS.API.CONSUMER.CREATE.${stream}.*`,
      `$JS.API.CONSUMER.CREATE.${stream}.*.>`,
      `$JS.API.CONSUMER.INFO.${stream}.*`,
      `$JS.API.CONSUMER.MSG.NEXT.${stream}.*`,
      ...answersTo("FC", account, `${stream}.>`),
    ],
    except: kept.flatMap((consumer) => [
      `$JS.API.CONSUMER.CREATE.${stream}.${consumer}`,
      `$JS.API.CONSUMER.CREATE.${stream}.${consumer}.>`,
      ...(consumed.includes(consumer) ? [] : [`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`]),
    ]),
  };
}

/**
 * The subjects at which clients answer a consumer. With the server's feature `js_ack_fc_v2` these have the domain and a hash
 * of the account before the stream (2.14 and later; off by default).
 */
function answersTo(kind: "ACK" | "FC", account: string, place: string): string[] {
  return [`$JS.${kind}.${place}`, `$JS.${kind}.*.${accountHash(account)}.${place}`];
}

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const HASH_LENGTH = 8;

/** The server's hash of a name (2.15, `getHash` in events.go). */
function accountHash(account: string): string {
  const bytes = createHash("sha256").update(account).digest().subarray(0, HASH_LENGTH);
  return Array.from(bytes, (byte) => DIGITS[byte % DIGITS.length]).join("");
}
