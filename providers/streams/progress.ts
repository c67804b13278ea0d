import { countOf, formatSize } from "../../lib/base/wording.ts";
import { diffConfig } from "../../lib/streams/stream-diff.ts";
import type { Reconfiguration, StreamInfo } from "../../live/jetstream/jetstream.ts";
import {
  configBefore,
  describeDelay,
  hostsOf,
  isCalm,
  isSettled,
  replicaCount,
} from "./replicas.ts";

export interface Reporting {
  /** Shows a line to the user. */
  readonly say: (line: string) => void;
  /** Milliseconds between two lines about what a stream is waiting for. */
  readonly interval: number;
}

/** Reports a stream's changes while they run, except those that are immediate. */
export class Progress {
  readonly #stream: string;
  readonly #reporting: Reporting;
  #saidAt = performance.now();
  #announced = "";
  /** The hosts of the stream when no change was under way. */
  #home: readonly string[] | undefined;

  constructor(stream: string, reporting: Reporting) {
    this.#stream = stream;
    this.#reporting = reporting;
  }

  /** Records an observation; to be called at every look. */
  record(info: StreamInfo): void {
    if (isCalm(info)) this.#home = hostsOf(info);
    if (isSettled(info)) return;
    const change = this.#describeChange(info);
    if (change && change !== this.#announced) {
      this.#announced = change;
      const { messages, bytes } = info.state;
      this.say(`${change}: ${countOf(messages, "message")}, ${formatSize(bytes)}`);
    } else if (performance.now() - this.#saidAt >= this.#reporting.interval) {
      this.say(`${this.#stream}: ${describeDelay(info)}`);
    }
  }

  say(line: string): void {
    this.#saidAt = performance.now();
    this.#reporting.say(line);
  }

  /** The change under way, once the servers know its target. */
  #describeChange({ config, cluster }: StreamInfo): string | undefined {
    const { origin, replicas }: Reconfiguration = cluster?.desired ?? {};
    if (!origin) return undefined;
    const hosts = replicas?.map(({ name }) => name).sort();
    const count = replicaCount(config);
    if (origin.replicas !== count) {
      const place = hosts ? ` on ${hosts.join(", ")}` : "";
      return `scaling ${this.#stream} from ${countOf(origin.replicas, "replica")} to ${count}${count > origin.replicas ? place : ""}`;
    }
    if (!hosts || hosts.join() === this.#home?.join()) return undefined;
    const isBack = diffConfig(configBefore(config, origin), config).length === 0;
    const from = this.#home ? ` from ${this.#home.join(", ")}` : isBack ? " back" : "";
    return `moving ${this.#stream}${from} to ${hosts.join(", ")}`;
  }
}
