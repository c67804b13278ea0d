import { createInbox, type Msg, type NatsConnection, type Subscription } from "nats";

/** A message that a consumer has delivered. */
export interface Delivery {
  readonly subject: string;
  readonly data: string;
  /** Sequence in the stream. */
  readonly sequence: number;
  /** How often it was delivered, this time included. */
  readonly deliveries: number;
  /** Acknowledges it, and waits until the server has noted that. */
  ack(): Promise<void>;
}

/** Pulls one message from a consumer; undefined if none comes within `milliseconds`. */
export async function pull(
  client: NatsConnection,
  stream: string,
  consumer: string,
  milliseconds = 500,
): Promise<Delivery | undefined> {
  const inbox = createInbox();
  // Messages have the subject that they were published under, so a request of the client's would not know them again.
  const subscription = client.subscribe(inbox, { max: 1, timeout: milliseconds + 1_000 });
  const body = JSON.stringify({ batch: 1, expires: milliseconds * 1_000_000 });
  client.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, body, { reply: inbox });
  const message = await first(subscription);
  // Without a reply it is a status: there was nothing, or the consumer is gone.
  if (!message?.reply) return undefined;
  const { reply } = message;
  // $JS.ACK.<stream>.<consumer>.<deliveries>.<stream sequence>.…
  const [, , , , deliveries = "", sequence = ""] = reply.split(".");
  return {
    subject: message.subject,
    data: message.string(),
    sequence: Number(sequence),
    deliveries: Number(deliveries),
    async ack() {
      await client.request(reply, "+ACK", { timeout: 2_000 });
    },
  };
}

async function first(subscription: Subscription): Promise<Msg | undefined> {
  try {
    for await (const message of subscription) return message;
  } catch {
    // Nothing came in time.
  }
  return undefined;
}

/** Pulls until nothing comes any more. */
export async function pullAll(
  client: NatsConnection,
  stream: string,
  consumer: string,
): Promise<Delivery[]> {
  const all: Delivery[] = [];
  for (;;) {
    const next = await pull(client, stream, consumer);
    if (!next) return all;
    all.push(next);
  }
}
