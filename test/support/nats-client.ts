import { connect, type NatsConnection } from "nats";
import type { StackOutputs } from "../../lib/plan/outputs.ts";
import { clientTls } from "../../live/jetstream/client-tls.ts";
import { eventually } from "./eventually.ts";
import { PASSWORDS } from "./passwords.ts";

/** The fields of the JetStream API's stream info that tests use. */
interface StreamInfo {
  readonly config: {
    readonly subjects?: string[];
    readonly placement?: { readonly tags?: string[] };
    readonly num_replicas: number;
  };
  readonly cluster: {
    readonly leader?: string;
    readonly replicas?: readonly { readonly name: string; readonly current: boolean }[];
  };
  readonly state: { readonly messages: number };
  readonly error?: { readonly err_code: number; readonly description: string };
}

/** A client of a running cluster that uses no code of this project, as an independent check. */
export class NatsClient implements AsyncDisposable {
  readonly #connection: NatsConnection;

  private constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  static async connect(
    { clientUrls, caCertificate }: Pick<StackOutputs, "clientUrls" | "caCertificate">,
    user = "user",
    pass = PASSWORDS.password,
  ): Promise<NatsClient> {
    const servers = Object.values(clientUrls);
    const names = Object.keys(clientUrls);
    return new NatsClient(
      await connect({
        servers,
        user,
        pass,
        ...(caCertificate === undefined ? {} : { tls: clientTls({ ca: caCertificate, names }) }),
        ignoreClusterUpdates: true,
        timeout: 5_000,
      }),
    );
  }

  info(stream: string): Promise<StreamInfo> {
    return this.#request(`$JS.API.STREAM.INFO.${stream}`);
  }

  /** Names of all streams, sorted. */
  async names(): Promise<string[]> {
    const { streams } = await this.#request<{ streams: string[] | null }>("$JS.API.STREAM.NAMES");
    return (streams ?? []).sort();
  }

  /** Hosts that hold a current replica, sorted. */
  async hosts(stream: string): Promise<string[]> {
    const { cluster } = await this.info(stream);
    const followers = (cluster.replicas ?? []).filter(({ current }) => current);
    return [cluster.leader ?? "", ...followers.map(({ name }) => name)].sort();
  }

  /** Publishes a message, and waits until the stream has stored it. */
  async publish(subject: string, payload: string): Promise<void> {
    // Right after a stream's creation, some servers don't know yet that it takes the subject.
    await eventually(async () => {
      const ack = await this.#request<{ stream?: string; error?: unknown }>(subject, payload);
      if (!ack.stream) throw new Error(`not stored: ${JSON.stringify(ack)}`);
      return true;
    });
  }

  /** The payload of every message of a stream, oldest first. */
  async payloads(stream: string): Promise<string[]> {
    const { state } = await this.info(stream);
    const payloads: string[] = [];
    for (let seq = 1; payloads.length < state.messages; seq++) {
      const { message } = await this.#request<{ message?: { data: string } }>(
        `$JS.API.STREAM.MSG.GET.${stream}`,
        JSON.stringify({ seq }),
      );
      if (message) payloads.push(Buffer.from(message.data, "base64").toString());
    }
    return payloads;
  }

  /** Whether the meta leader answers. It needs a majority of all servers. */
  async hasMetaLeader(): Promise<boolean> {
    try {
      return !(await this.#request<{ error?: unknown }>("$JS.API.STREAM.NAMES")).error;
    } catch {
      return false;
    }
  }

  /** Moves the leadership of the meta group to another server; as a user of the system account. */
  async moveMetaLeader(preferred: string): Promise<void> {
    const placement = { preferred };
    const answer = await this.#request<{ error?: unknown }>(
      "$JS.API.META.LEADER.STEPDOWN",
      JSON.stringify({ placement }),
    );
    if (answer.error) throw new Error(JSON.stringify(answer.error));
  }

  /** Makes a stream's leader step down. The caller checks whether another one leads. */
  async stepDown(stream: string): Promise<void> {
    await this.#request(`$JS.API.STREAM.LEADER.STEPDOWN.${stream}`);
  }

  /** Whether a stream stores a message that is published once. */
  async takes(subject: string, payload: string): Promise<boolean> {
    try {
      return Boolean((await this.#request<{ stream?: string }>(subject, payload)).stream);
    } catch {
      return false;
    }
  }

  create(name: string, config: object): Promise<{ error?: unknown }> {
    return this.#request(`$JS.API.STREAM.CREATE.${name}`, JSON.stringify({ name, ...config }));
  }

  delete(stream: string): Promise<{ success?: boolean }> {
    return this.#request(`$JS.API.STREAM.DELETE.${stream}`);
  }

  purge(stream: string): Promise<{ success?: boolean }> {
    return this.#request(`$JS.API.STREAM.PURGE.${stream}`);
  }

  update(stream: string, config: object): Promise<{ error?: unknown }> {
    return this.#request(`$JS.API.STREAM.UPDATE.${stream}`, JSON.stringify(config));
  }

  /** Adds a durable pull consumer. */
  async addConsumer(stream: string, name: string): Promise<void> {
    const config = { durable_name: name, ack_policy: "explicit" };
    const answer = await this.#request<{ error?: unknown }>(
      `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.${name}`,
      JSON.stringify({ stream_name: stream, config }),
    );
    if (answer.error) throw new Error(JSON.stringify(answer.error));
  }

  /** What each of some servers answers to a question, as a user of the system account. */
  async askServers(question: string, body: object, servers: number): Promise<string[]> {
    const subject = `$SYS.REQ.SERVER.PING.${question}`;
    const options = { strategy: "count", maxMessages: servers, maxWait: 5_000 } as const;
    const answers: string[] = [];
    for await (const answer of await this.#connection.requestMany(
      subject,
      JSON.stringify(body),
      options,
    )) {
      answers.push(answer.string());
    }
    return answers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }

  async #request<Answer>(subject: string, payload = ""): Promise<Answer> {
    const answer = await this.#connection.request(subject, payload, { timeout: 5_000 });
    return answer.json<Answer>();
  }
}
