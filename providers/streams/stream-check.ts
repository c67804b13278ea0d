import type { FieldChange } from "../../lib/base/field-table.ts";
import { countOf } from "../../lib/base/wording.ts";
import { hostsApart } from "../../lib/placement/in-place.ts";
import {
  describeNearest,
  placementRequest,
  plannedHosts,
  planPlacement,
} from "../../lib/placement/placement.ts";
import { describeScale } from "../../lib/streams/scale-notices.ts";
import { describeChange, describeRefusals, diffConfig } from "../../lib/streams/stream-diff.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import {
  type Contents,
  describeContents,
  describeExcesses,
  describeLosses,
} from "../../lib/streams/stream-loss.ts";
import { validateConfig } from "../../lib/streams/stream-rules.ts";
import { isParked } from "../../lib/streams/subject-handover.ts";
import type { StreamInfo } from "../../live/jetstream/jetstream.ts";
import { WAYS_OUT } from "./converge.ts";
import type { Renaming } from "./handovers.ts";
import { backupObstacles, hasNeverReceived } from "./recreate.ts";
import { hostsOf } from "./replicas.ts";
import type { CheckVerdict, ProgramInputs, StreamIdentity, StreamInputs } from "./stream-inputs.ts";

/** Plans the hosts of a stream, and refuses what the server would refuse whatever the stream holds. */
export function planInputs(
  olds: Partial<StreamInputs>,
  { fleet, ...inputs }: ProgramInputs,
  isPlanned: (stream: StreamIdentity) => boolean,
): { readonly inputs: object; readonly refusals: readonly string[] } {
  const request = placementRequest(inputs.config);
  const placement = planPlacement(request, fleet);
  const apart = hostsApart(request, fleet);
  const problems = validateConfig(inputs.config).map(
    ({ path, message, fix }) => `${path}: ${message}${fix ? `; ${fix}` : ""}`,
  );
  const refusals = [...problems, ...refusedIdentity(olds, inputs, isPlanned)];
  if (placement.kind !== "impossible") {
    const place = fleet.unknown
      ? placeBefore(olds, inputs.config)
      : { hosts: plannedHosts(placement), ...(apart.length > 0 ? { apart } : {}) };
    return { inputs: { ...inputs, ...place }, refusals };
  }
  const nearest = describeNearest(placement.nearest);
  const reason = `placement: ${placement.summary}${nearest ? `; nearest: ${nearest}` : ""}; nats-server would say "${placement.serverError}"`;
  return { inputs, refusals: [...refusals, reason] };
}

/** Where a stream was to be before, while nobody knows the servers and nothing of its placement changes. */
function placeBefore({ config, hosts = [], apart }: Partial<StreamInputs>, desired: StreamConfig) {
  const isElsewhere = !config || diffConfig(config, desired).some(isOfPlace);
  return isElsewhere ? { hosts: [] } : { hosts, ...(apart ? { apart } : {}) };
}

function isOfPlace({ effect }: FieldChange): boolean {
  return effect === "moves" || effect === "scales";
}

const WAYS_TO_MOVE: Readonly<Record<keyof StreamIdentity, string>> = {
  stream: "add a new stream that sources the old one, then remove the old one",
  account:
    'put it back, and add one there beside it, which may be of the same name; or take it out of the settings, run "pulumi up", then add it there, empty',
};

function refusedIdentity(
  olds: Partial<StreamInputs>,
  news: StreamIdentity,
  isPlanned: (stream: StreamIdentity) => boolean,
): string[] {
  const { stream, account } = olds;
  const differs = stream !== news.stream || account !== news.account;
  // The key in the settings has changed, while Pulumi already knows another stream by the new key.
  if (stream !== undefined && account !== undefined && differs && isPlanned({ stream, account })) {
    return [
      `stream ${stream} of account ${account} has another name in the settings, and stream ${news.stream} of account ${news.account} has its former name; give that one a name that no stream has had, or first rename the resource in Pulumi's state (pulumi state rename, or aliases)`,
    ];
  }
  return (["stream", "account"] as const)
    .filter((key) => olds[key] !== undefined && olds[key] !== news[key])
    .map(
      (key) =>
        `${key}: "${olds[key]}" can't become "${news[key]}" without losing the messages; ${WAYS_TO_MOVE[key]}`,
    );
}

/** Whether the verdict depends on the stream's contents, so that it has to be observed. */
export function needsLook(olds: Partial<StreamInputs>, news: ProgramInputs): boolean {
  return olds.config === undefined || diffConfig(olds.config, news.config).length > 0;
}

/** What the settings change, compared with the state or, for a new resource, with the existing stream. */
export function changesBy(
  olds: Partial<StreamInputs>,
  { config }: ProgramInputs,
  found: StreamInfo | undefined,
): readonly FieldChange[] {
  const base = olds.config ?? found?.config;
  return base ? diffConfig(base, config) : [];
}

/**
 * Judges the changes to a stream, before anything is sent.
 *
 * @param found the stream as it is; undefined if it doesn't exist, or if JetStream doesn't answer.
 * @param renaming set if the stream belongs to this stack already, under another key.
 * @param isLost whether an `up` may have made it before it was killed, without the state having it.
 */
export function judge(
  olds: Partial<StreamInputs>,
  news: ProgramInputs,
  found: (StreamInfo & Contents) | undefined,
  renaming?: Renaming,
  isLost = false,
): CheckVerdict {
  if (!olds.config && !found) return { refusals: refusedAtBirth(news.config), notices: [] };
  const changes = changesBy(olds, news, found);
  // A stream that waits for its subjects was created by an `up` that was interrupted.
  const isNew = olds.config === undefined && !isParked(found?.config.subjects);
  const isUnmanaged = isNew && renaming === undefined && !isLost;
  if (isUnmanaged && changes.length > 0 && !news.policy.adopt) {
    return { refusals: [describeUnmanaged(news, changes, found)], notices: [] };
  }
  const verdicts = [
    judgeImmutable(changes, news, found),
    judgeLosses(changes, news, found),
    { refusals: describeExcesses(changes, news.config, found?.consumers), notices: [] },
    {
      refusals: [],
      notices: [
        ...(isUnmanaged ? adoption(news, found) : []),
        ...(isNew && renaming ? renewal(renaming, news, found) : []),
        ...moves(changes, news, found),
      ],
    },
  ];
  return {
    refusals: verdicts.flatMap(({ refusals }) => refusals),
    notices: verdicts.flatMap(({ notices }) => notices),
  };
}

function refusedAtBirth({ sealed }: StreamConfig): string[] {
  return sealed ? ["sealed: a new stream can't be sealed, it would stay empty; seal it later"] : [];
}

/** Says that a stream exists which isn't managed by this stack, and what to do about it. */
export function describeUnmanaged(
  { stream, account }: Pick<StreamInputs, "stream" | "account">,
  changes: readonly FieldChange[],
  found: StreamInfo | undefined,
): string {
  const holding = found ? ` with ${describeContents(found.state)}` : "";
  return `stream ${stream} exists in account ${account} already${holding}, and differs (${changes.map(describeChange).join(", ")}); set adopt: true for it to get these settings, give the settings its values, or give the stream another name`;
}

/** Changes that only a new stream could satisfy. */
function judgeImmutable(
  changes: readonly FieldChange[],
  { stream, config, policy }: ProgramInputs,
  found: StreamInfo | undefined,
): CheckVerdict {
  const refused = describeRefusals(changes);
  if (refused.length === 0) return { refusals: [], notices: [] };
  const contents = found ? describeContents(found.state) : "an unknown number of messages";
  if (found && hasNeverReceived(found, config)) {
    const notice = `stream ${stream} is recreated (${refused.join("; ")}): it has never got a message`;
    return { refusals: [], notices: [notice] };
  }
  if (policy.recreate === "viaBackup") {
    const obstacles = found ? backupObstacles(config, found, policy) : [];
    const notice = `stream ${stream} is recreated (${refused.join("; ")}): its ${contents} are copied there and back, meanwhile it takes none`;
    return { refusals: obstacles, notices: obstacles.length > 0 ? [] : [notice] };
  }
  if (policy.allowDataLoss) {
    const notice = `stream ${stream} is deleted with ${contents} and created again (${refused.join("; ")})`;
    return { refusals: [], notices: [notice] };
  }
  return {
    refusals: refused.map((reason) => `${reason}; ${stream} holds ${contents}: ${WAYS_OUT}`),
    notices: [],
  };
}

/** Changes in place that delete messages. */
function judgeLosses(
  changes: readonly FieldChange[],
  { stream, config, policy }: ProgramInputs,
  found: (StreamInfo & Contents) | undefined,
): CheckVerdict {
  const losses = found ? describeLosses(changes, config, found, Date.now()) : [];
  if (policy.allowDataLoss) {
    return { refusals: [], notices: losses.map((loss) => `stream ${stream}: ${loss}`) };
  }
  const wayOut = "put it back, or set allowDataLoss: true for the stream to let them go";
  return { refusals: losses.map((loss) => `${loss}; ${wayOut}`), notices: [] };
}

function adoption({ stream }: ProgramInputs, found: StreamInfo | undefined) {
  return found
    ? [`stream ${stream} is there already, and is adopted with ${describeContents(found.state)}`]
    : [];
}

/** Pulumi's preview shows a creation and a deletion; this notice says that the stream stays. */
function renewal({ from, to }: Renaming, { stream }: ProgramInputs, found: StreamInfo | undefined) {
  return found
    ? [
        `stream ${stream} is called ${to} in the settings, no longer ${from}, and stays with ${describeContents(found.state)}: only Pulumi's note of ${from} is deleted`,
      ]
    : [];
}

/** Hosts before and after a move, and the amount of data: Pulumi shows only the planned hosts. */
function moves(
  changes: readonly FieldChange[],
  { stream, config, fleet }: ProgramInputs,
  found: StreamInfo | undefined,
): string[] {
  if (!found || !changes.some(isOfPlace)) return [];
  const placement = planPlacement(placementRequest(config), fleet);
  if (placement.kind === "impossible") return [];
  const { num_replicas: replicas = 1 } = config;
  const hosts = plannedHosts(placement);
  const to =
    hosts.length === 0
      ? `${countOf(replicas, "server")} that the cluster chooses`
      : placement.kind === "exact"
        ? hosts.join(", ")
        : `${replicas} of ${hosts.join(", ")}`;
  return [
    `stream ${stream} goes from ${hostsOf(found).join(", ")} to ${to}: ${describeContents(found.state)} for each new replica`,
    ...describeScale(found.config, config, found.state.consumer_count).map(
      (notice) => `stream ${stream}: ${notice}`,
    ),
  ];
}
