import { isDeepStrictEqual } from "node:util";
import type {
  CheckResult,
  DiffResult,
  ReadResult,
  UpdateResult,
} from "@pulumi/pulumi/dynamic/index.js";
import {
  adoptObservedConsumer,
  diffConsumer,
  isRefused,
  requestedConfig,
} from "../../lib/consumers/consumer-diff.ts";
import { awaited, describeStanding } from "../../lib/consumers/standing.ts";
import type { ConsumerInfo } from "../../live/jetstream/consumers.ts";
import {
  ConsumerNotFound,
  ERROR_CODES,
  isSilence,
  JetStreamError,
  StreamNotFound,
} from "../../live/jetstream/jetstream.ts";
import { type Pace, retry } from "../../live/jetstream/patience.ts";
import {
  configure,
  configuredPatience,
  openConfigured,
  openConfiguredConsumers,
} from "../process/configured.ts";
import { hasUnknown, toFailures } from "../process/unknown.ts";
import type { Reporting } from "../streams/progress.ts";
import { changesBy, describeUnmanaged, judge, refusedIdentity } from "./consumer-check.ts";
import { convergeConsumer } from "./consumer-converge.ts";
import { type ConsumerInputs, type ConsumerOutputs, inputsOf, nameOf } from "./consumer-inputs.ts";
import {
  type AccountPorts,
  keeperOf,
  type LastAcks,
  recreateConsumer,
} from "./consumer-recreate.ts";
import { consumerHosts } from "./consumer-replicas.ts";
import { ConsumerRun } from "./consumer-run.ts";
import { judgeFilters } from "./filter-check.ts";
import { findConsumer, findConsumerAtOnce } from "./find-consumer.ts";

/** The methods of a Pulumi dynamic provider, typed; see `ResourceProvider` in @pulumi/pulumi/dynamic. */
export interface ConsumerLifecycle {
  check(olds: Partial<ConsumerInputs>, news: ConsumerInputs): Promise<CheckResult>;
  diff(id: string, olds: ConsumerOutputs, news: ConsumerInputs): Promise<DiffResult>;
  create(inputs: ConsumerInputs): Promise<{ readonly id: string; readonly outs: ConsumerOutputs }>;
  read(id: string, props: ConsumerOutputs): Promise<ReadResult>;
  update(id: string, olds: ConsumerOutputs, news: ConsumerInputs): Promise<UpdateResult>;
  delete(id: string, props: ConsumerOutputs): Promise<void>;
}

/** As for streams, see `LifecycleOptions` in stream-lifecycle.ts; `lastAcks` is 5,000 by default. */
export type ConsumerLifecycleOptions = Partial<Pace & Reporting & LastAcks>;

/** Used by the dynamic provider's process; components/consumer.ts refers to this name. */
export const consumerProvider = {
  configure,
  ...consumerLifecycle((account) => ({
    streams: openConfigured(account),
    consumers: openConfiguredConsumers(account),
  })),
};

/** The lifecycle of a consumer, over any implementation of JetStream's API. */
export function consumerLifecycle(
  open: (account: string) => AccountPorts,
  {
    patience,
    silence = 15_000,
    pause = 100,
    interval = 5_000,
    say = console.error,
    lastAcks = 5_000,
  }: ConsumerLifecycleOptions = {},
): ConsumerLifecycle {
  const pace = {
    // The process is configured only after this function has run.
    get patience() {
      return patience ?? configuredPatience();
    },
    silence,
    pause,
    interval,
    say,
    lastAcks,
  };
  const run = new ConsumerRun((account) => open(account).consumers);
  return {
    async check(olds, news) {
      if (hasUnknown(news)) return { inputs: news };
      const known = run.register(olds, news);
      const refused = refusedIdentity(known, news);
      if (refused.length > 0) return { inputs: news, failures: toFailures(refused) };
      const isNew = known.config === undefined;
      if (!isNew && changesBy(known, news, undefined).length === 0) {
        const names = await run.namesIn(news);
        if (names?.has(news.consumer) === false) tellVanished(news, say);
        if (names?.has(keeperOf(news.consumer))) {
          say(
            `${nameOf(news)}: an up that was killed has left consumer ${keeperOf(news.consumer)}, for which its stream keeps messages; delete it if that change was put back`,
          );
        }
        return { inputs: news };
      }
      const { refusals, notices } = await look(open(news.account), known, news, say);
      for (const notice of notices) say(notice);
      return { inputs: news, failures: toFailures(refusals) };
    },

    async diff(_id, olds, news) {
      if (hasUnknown(news)) return { changes: true };
      const replaces = (["account", "stream", "consumer"] as const).filter(
        (key) => olds[key] !== news[key],
      );
      const changes =
        replaces.length > 0 ||
        diffConsumer(olds.config, news.config).length > 0 ||
        !isDeepStrictEqual(olds.policy, news.policy);
      return { changes, replaces };
    },

    async create(inputs) {
      const ports = open(inputs.account);
      await createOrTakeUp(ports, inputs, pace, run.isReplacing(inputs));
      try {
        return { id: idOf(inputs), outs: await settle(ports, inputs, pace) };
      } catch (error) {
        throw new ConsumerNotReady(inputs, error);
      }
    },

    async read(_id, props) {
      try {
        const info = await retry(
          () => open(props.account).consumers.info(props.stream, props.consumer),
          pace,
        );
        const config = adoptObservedConsumer(props.config, info.config);
        const inputs = { ...inputsOf(props), config };
        return { id: idOf(props), inputs, props: { ...inputs, ...describeReplicas(info) } };
      } catch (error) {
        if (error instanceof ConsumerNotFound || error instanceof StreamNotFound) {
          return { id: "" };
        }
        if (!isSilence(error)) throw error;
        // A refresh has to succeed without JetStream, or `up --refresh` could never start the nodes again.
        say(`${nameOf(props)} is taken to be as it was: ${error.message}`);
        return { id: idOf(props), props, inputs: inputsOf(props) };
      }
    },

    async update(_id, _olds, news) {
      const ports = open(news.account);
      const hasBegun = await recreateConsumer(ports, news, pace);
      try {
        return { outs: await settle(ports, news, pace) };
      } catch (error) {
        throw hasBegun ? new ConsumerNotReady(news, error) : error;
      }
    },

    async delete(_id, props) {
      if (run.has(props)) {
        say(
          `${nameOf(props)} is in the settings, and stays where it is: only an older note of it in the state is deleted`,
        );
        return;
      }
      const { streams, consumers } = open(props.account);
      const { stream, consumer } = props;
      try {
        const { config } = await retry(() => streams.info(stream), pace);
        const info = await retry(() => consumers.info(stream, consumer), pace);
        if (config.retention === "interest" && !props.policy.allowDataLoss) {
          refuseLoss(props, info);
        }
        await retry(() => consumers.delete(stream, consumer), pace);
      } catch (error) {
        if (error instanceof ConsumerNotFound || error instanceof StreamNotFound) return;
        if (!isSilence(error)) throw error;
        throw new Error(
          `${nameOf(props)} can't be deleted: ${error.message}; if it is gone for good, let Pulumi forget it (pulumi state delete)`,
          { cause: error },
        );
      }
    },
  };
}

function idOf({ stream, consumer }: Pick<ConsumerInputs, "stream" | "consumer">): string {
  return `${stream}.${consumer}`;
}

/** Only for a consumer that is in the state: one whose creation failed never existed. */
function tellVanished(consumer: ConsumerInputs, say: Reporting["say"]): void {
  say(
    `${nameOf(consumer)} was there after the last up, and is gone, and with it where it stood: "pulumi up --refresh" creates it again, and it begins where its deliverPolicy says`,
  );
}

function refuseLoss(consumer: ConsumerInputs, info: ConsumerInfo): void {
  if (awaited(info) === 0) return;
  throw new Error(
    `${nameOf(consumer)} can't be deleted: the stream would drop messages that it keeps for this one (${describeStanding(info)}); put it back into the settings with allowDataLoss: true, run "pulumi up", then take it out`,
  );
}

/** Observes a consumer and judges. If JetStream doesn't answer, that is said for a known consumer only. */
async function look(
  { streams, consumers }: AccountPorts,
  known: Partial<ConsumerInputs>,
  news: ConsumerInputs,
  say: Reporting["say"],
) {
  try {
    const found = await findConsumerAtOnce(consumers, news.stream, news.consumer);
    if (!found && known.config !== undefined) tellVanished(news, say);
    const verdict = judge(known, news, found);
    const changes = changesBy(known, news, found);
    if (!found || !changes.some(({ path }) => path === "filterSubjects")) return verdict;
    const { config } = await streams.info(news.stream);
    const filters = judgeFilters(changes, news, found, config);
    return {
      refusals: [...verdict.refusals, ...filters.refusals],
      notices: [...verdict.notices, ...filters.notices],
    };
  } catch (error) {
    if (!isSilence(error)) throw error;
    if (known.config !== undefined) {
      say(`where ${nameOf(news)} stands is unknown: ${error.message}`);
    }
    return judge(known, news, undefined);
  }
}

/** @param isOwn whether a consumer of that name belongs to this stack already. */
async function createOrTakeUp(
  ports: AccountPorts,
  inputs: ConsumerInputs,
  pace: Pace & LastAcks,
  isOwn: boolean,
): Promise<void> {
  const { stream, consumer, config, policy } = inputs;
  const mayTakeUp = policy.adopt || isOwn;
  const port = ports.consumers;
  if (!mayTakeUp && policy.recreate) {
    // It may have come since the preview. What makes it anew would take it for the stack's own.
    const found = await findConsumer(port, stream, consumer, pace);
    const changes = found ? diffConsumer(found.config, config) : [];
    if (found && changes.some(isRefused)) {
      throw new Error(describeUnmanaged(inputs, changes, found));
    }
  }
  if (mayTakeUp || policy.recreate) await recreateConsumer(ports, inputs, pace);
  try {
    await retry(() => port.put(stream, requestedConfig(config), "create"), pace);
  } catch (error) {
    const exists = error instanceof JetStreamError && error.code === ERROR_CODES.consumerExists;
    if (!exists) throw error;
    const found = await retry(() => port.info(stream, consumer), pace);
    const changes = diffConsumer(found.config, config);
    if (changes.length === 0 || mayTakeUp) return;
    throw new Error(describeUnmanaged(inputs, changes, found), { cause: error });
  }
}

/** The request was sent, but the consumer isn't in its desired state yet. Pulumi keeps it in its state. */
class ConsumerNotReady extends Error {
  override readonly name = "ConsumerNotReady";
  readonly id: string;
  readonly properties: ConsumerOutputs;
  readonly reasons: readonly string[];

  constructor(inputs: ConsumerInputs, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(reason, { cause });
    this.id = idOf(inputs);
    this.properties = { ...inputs, leader: "", replicas: [], created: "" };
    this.reasons = [reason];
  }
}

async function settle(
  ports: AccountPorts,
  inputs: ConsumerInputs,
  pace: Pace & Reporting,
): Promise<ConsumerOutputs> {
  return { ...inputs, ...describeReplicas(await convergeConsumer(ports, inputs, pace)) };
}

function describeReplicas(info: ConsumerInfo) {
  return {
    leader: info.cluster?.leader ?? "",
    replicas: consumerHosts(info),
    created: info.created,
  };
}
