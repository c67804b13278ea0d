import type { ConsumerConfig } from "../../lib/consumers/consumer-fields.ts";
import type { ConsumerInfo, ConsumerPort } from "../../live/jetstream/consumers.ts";
import { ConsumerNotFound, JetStreamError } from "../../live/jetstream/jetstream.ts";

/** Consumers of one stream in memory. What the server makes of configs is left out; test/server/ is about that. */
export class FakeConsumers implements ConsumerPort {
  readonly consumers = new Map<string, ConsumerInfo>();
  /** The requests that change something, in their order, e.g. `create worker`. */
  readonly requests: string[] = [];
  /** If set, every request fails with it. */
  failure: Error | undefined;

  /** Adds a consumer, as somebody else would. */
  add(config: ConsumerConfig, standing: Partial<ConsumerInfo> = {}): void {
    this.consumers.set(config.name, {
      name: config.name,
      created: `2026-01-31T12:00:0${this.consumers.size}Z`,
      config: { ack_policy: "explicit", ...config },
      delivered: { consumer_seq: 0, stream_seq: 0 },
      ack_floor: { consumer_seq: 0, stream_seq: 0 },
      num_ack_pending: 0,
      num_redelivered: 0,
      num_pending: 0,
      cluster: { leader: "n1", replicas: [] },
      ...standing,
    });
  }

  async info(_stream: string, consumer: string): Promise<ConsumerInfo> {
    this.#fail();
    return this.#find(consumer);
  }

  async names(): Promise<string[]> {
    this.#fail();
    return [...this.consumers.keys()];
  }

  async put(_stream: string, config: ConsumerConfig, action: "create" | "update"): Promise<void> {
    this.#log(`${action} ${config.name}`);
    const found = this.consumers.get(config.name);
    if (action === "update" && !found) throw new ConsumerNotFound(10149, "consumer does not exist");
    if (action === "create" && found) {
      if (JSON.stringify(found.config) === JSON.stringify(config)) return;
      throw new JetStreamError(10148, "consumer already exists");
    }
    this.add(config, found ? { ...found, config } : {});
  }

  async pause(_stream: string, consumer: string, until: string | undefined): Promise<void> {
    this.#log(`pause ${consumer}`);
    const found = this.#find(consumer);
    const { pause_until: _, ...config } = found.config;
    const paused = until === undefined ? {} : { pause_until: until };
    this.add({ ...config, ...paused }, { ...found, config: { ...config, ...paused } });
  }

  async delete(_stream: string, consumer: string): Promise<void> {
    this.#log(`delete ${consumer}`);
    this.#find(consumer);
    this.consumers.delete(consumer);
  }

  #log(request: string): void {
    this.#fail();
    this.requests.push(request);
  }

  #fail(): void {
    if (this.failure) throw this.failure;
  }

  #find(consumer: string): ConsumerInfo {
    const found = this.consumers.get(consumer);
    if (!found) throw new ConsumerNotFound(10014, "consumer not found");
    return found;
  }
}
