import type { local } from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import {
  CLUSTER_LABEL,
  GENERATION_LABEL,
  NODE_LABEL,
  RESTART_SETTINGS_LABEL,
} from "../lib/nodes/labels.ts";
import { CLIENT_PORT, CONFIG_DIR, DATA_DIR, MONITOR_PORT } from "../lib/nodes/nats-conf.ts";
import { NODE_USER, packNodeFiles } from "../lib/nodes/node-files.ts";
import type { NodePlan } from "../lib/plan/plan.ts";
import type { Engine } from "../live/engine/engine.ts";
import type { EngineState } from "./foresight/inspect-engine.ts";
import { makeRoomFor } from "./hooks/make-room.ts";
import { type Ownership, ownerFilter } from "./ownership.ts";
import type { NodeFiles } from "./parts/node-certificates.ts";
import { createScript, runCommand } from "./steps/script.ts";
import { scriptPatience } from "./steps/script-patience.ts";
import { changedFields, type Transforms, withFields } from "./transforms.ts";

/** What the nodes of a cluster have in common. */
export interface ContainerSettings {
  /** Name of the NATS cluster. */
  readonly cluster: string;
  readonly image: string;
  /** Host addresses that ports are published on: those for clients, and the monitoring ports. */
  readonly bindAddress: string;
  readonly monitorAddress: string;
  /** Bytes that the container may use; Go's own limit is set to 80% of it. */
  readonly memory: number;
  /** Milliseconds without any progress after which waiting for a node is given up. */
  readonly patience: number;
  /** Whether the data volume stays on the engine when the node goes. */
  readonly keepsVolumes: boolean;
  /** `accounts.conf`, which holds the hashes of passwords. */
  readonly accountsConf: pulumi.Output<string>;
  /** Further files by name, for each node by its name: without TLS there are none. */
  readonly certificates: ReadonlyMap<string, NodeFiles>;
  /** The pulled image, waited for; `image` names it. */
  readonly pulled: docker.RemoteImage;
  /** Waited for; `networkName` names it. */
  readonly network: pulumi.Resource;
  readonly networkName: string;
  readonly ensureNetwork: pulumi.ResourceHook;
  /** Undefined where `npx pulumi` sees to it that volumes aren't replaced. */
  readonly keepVolume: ((volume: string) => pulumi.ResourceHook) | undefined;
  readonly limitProcesses: pulumi.ResourceHook;
  readonly engine: Engine;
  /** What was there already. */
  readonly before: EngineState;
  readonly ownership: Ownership;
  readonly transform?: Transforms;
}

export interface NatsNodeArgs {
  readonly plan: NodePlan;
  readonly settings: ContainerSettings;
  /** When its server took up another config than the planned one, RFC 3339: it is then written again, and reloaded. */
  readonly strayedAt: string | undefined;
  /** JSON for the label of its container: while it stays, so does the container. */
  readonly label: string;
  /** What has to be ready before the node is made or changed: the gate of the wave before. */
  readonly after: readonly pulumi.Resource[];
  /** Waits until the node may go down, where it is to be restarted. */
  readonly turn: pulumi.ResourceHook | undefined;
}

const STOP_SECONDS = 30;

/** What a node's container is made from by the settings; the rest is Pulumi's to wait for. */
type ContainerSpec = Pick<
  ContainerSettings,
  "image" | "cluster" | "bindAddress" | "monitorAddress" | "memory" | "networkName" | "ownership"
>;

/**
 * One NATS server: two volumes, the config in one of them, the container.
 *
 * A changed config is written into the running node and reloaded. Where that can't be, the settings in a
 * label, which no reload changes, replace the container; its data volume stays.
 */
export class NatsNode extends pulumi.ComponentResource {
  /** The container that the server runs in. */
  readonly container: docker.Container;
  /** The volume that holds what JetStream stores. */
  readonly dataVolume: docker.Volume;
  /** The engine's id of the container. Another one once the container was replaced. */
  readonly containerId: pulumi.Output<string>;
  /** URL for clients. */
  readonly clientUrl: string;
  /** URL of the monitoring pages. */
  readonly monitoringUrl: string;

  constructor(name: string, args: NatsNodeArgs, opts?: pulumi.ComponentResourceOptions) {
    const { plan, settings } = args;
    super("nats-regions:index:NatsNode", name, { serverTags: plan.serverTags }, opts);

    const options = (volume: string) => ({ parent: this, ...keptOptions(args, volume) });
    const config = createVolume(
      `${name}-config`,
      plan.configVolume,
      settings.ownership,
      options(plan.configVolume),
    );
    const volumeArgs = { name: plan.dataVolume, labels: [] };
    const data = createVolume(
      `${name}-data`,
      plan.dataVolume,
      settings.ownership,
      { ...options(plan.dataVolume), retainOnDelete: settings.keepsVolumes },
      changedFields("volume", settings.transform?.volume, volumeArgs, plan.name),
    );
    const configured = configureNode(name, args, { config, data }, this);
    this.container = createContainer(name, args, { config, data, configured }, this);

    this.dataVolume = data;
    this.containerId = this.container.id;
    this.clientUrl = plan.clientUrl;
    this.monitoringUrl = plan.monitoringUrl;
    this.registerOutputs({ clientUrl: plan.clientUrl, monitoringUrl: plan.monitoringUrl });
  }
}

interface Volumes {
  readonly config: docker.Volume;
  readonly data: docker.Volume;
}

/** How a volume that a node may have already is kept from being replaced. */
function keptOptions(
  { plan, settings: { before, keepVolume } }: NatsNodeArgs,
  volume: string,
): Pick<pulumi.CustomResourceOptions, "hooks"> {
  const isNew = !before.containers.has(plan.containerName) && !before.bereft.has(plan.name);
  return isNew || !keepVolume ? {} : { hooks: { beforeCreate: [keepVolume(volume)] } };
}

/** @param fields beside those that every volume has. One that is there keeps what it was made with: another one is empty. */
function createVolume(
  name: string,
  volumeName: string,
  ownership: Ownership,
  options: pulumi.CustomResourceOptions,
  fields: Partial<docker.VolumeArgs> = {},
): docker.Volume {
  // The label of a volume that had to be made anew differs: its node is then configured again. A preview doesn't know
  // it, as an `up` that goes by a saved plan makes what the plan has, to the letter.
  const value = pulumi.runtime.isDryRun()
    ? pulumi.output(pulumi.unknown).apply(String)
    : String(Date.now());
  const generation = { label: GENERATION_LABEL, value };
  const args = { name: volumeName, labels: [...ownership.labels, generation] };
  return new docker.Volume(name, withFields<docker.VolumeArgs>(args, fields), {
    ...options,
    ignoreChanges: ["labels", "driver", "driverOpts", "cluster"],
  });
}

function configureNode(
  name: string,
  { plan, settings, strayedAt, label: restartSettings, after, turn }: NatsNodeArgs,
  { config, data }: Volumes,
  parent: pulumi.Resource,
): local.Command {
  return createScript(
    `${name}-configured`,
    {
      create: runCommand("configure"),
      update: runCommand("configure", "--test"),
      stdin: pulumi
        .all([settings.accountsConf, pulumi.output(settings.certificates.get(plan.name) ?? {})])
        .apply(([accounts, others]) => packNodeFiles(plan.confText, accounts, others)),
      environment: {
        CONTAINER: plan.containerName,
        CONFIG_VOLUME: config.name,
        DATA_VOLUME: data.name,
        CONFIG_GENERATION: generationOf(config),
        DATA_GENERATION: generationOf(data),
        IMAGE: settings.image,
        OWNER: ownerFilter(settings.ownership),
        RESTART_SETTINGS: restartSettings,
        ...scriptPatience(settings),
      },
      // A node that is itself again keeps the time that it last wasn't.
      passing: { STRAYED_AT: strayedAt },
    },
    {
      parent,
      dependsOn: [settings.pulled, ...after],
      ...(turn ? { hooks: { beforeCreate: [turn], beforeUpdate: [turn] } } : {}),
    },
  );
}

function createContainer(
  name: string,
  { plan, settings, label, after }: NatsNodeArgs,
  { config, data, configured }: Volumes & { readonly configured: local.Command },
  parent: pulumi.Resource,
): docker.Container {
  const { engine, before, transform } = settings;
  // What the config was written by: an update that leaves the Command out, as `--target` can, leaves the file as it was.
  const restartSettings = configured.environment.apply(
    (environment) => environment?.RESTART_SETTINGS ?? label,
  );
  const args = containerArgs(plan, settings, {
    config: config.name,
    data: data.name,
    restartSettings,
  });
  return new docker.Container(
    `${name}-container`,
    withFields(args, transformedFields(transform, plan, settings)),
    {
      parent,
      // A protected cluster restarts nodes all the same, and Pulumi takes that for a deletion. It keeps the step that stops
      // all nodes, which comes before their containers.
      protect: false,
      deleteBeforeReplace: true,
      dependsOn: [settings.network, settings.pulled, configured, ...after],
      hooks: {
        beforeCreate: [
          ...(before.containers.has(plan.containerName)
            ? [makeRoomFor(engine, plan.containerName, settings.ownership)]
            : []),
          ...(before.hasNetwork ? [] : [settings.ensureNetwork]),
        ],
        afterCreate: [settings.limitProcesses],
      },
    },
  );
}

/** The fields that the user's transform gives the container of a node. @throws pulumi.RunError */
export function transformedFields(
  transform: Transforms | undefined,
  plan: NodePlan,
  spec: ContainerSpec,
): Readonly<Record<string, unknown>> {
  const { configVolume: config, dataVolume: data } = plan;
  const args = containerArgs(plan, spec, { config, data, restartSettings: "" });
  return changedFields("container", transform?.container, args, plan.name);
}

function containerArgs(
  plan: NodePlan,
  spec: ContainerSpec,
  made: Readonly<Record<"config" | "data" | "restartSettings", pulumi.Input<string>>>,
): docker.ContainerArgs {
  const memoryMib = Math.ceil(spec.memory / 1024 ** 2);
  const publish = (internal: number, ip: string, external: number) => ({
    internal,
    external,
    ip,
    protocol: "tcp",
  });
  return {
    name: plan.containerName,
    image: spec.image,
    hostname: plan.name,
    command: ["--config", `${CONFIG_DIR}/nats.conf`],
    envs: [`GOMEMLIMIT=${Math.floor(spec.memory * 0.8)}`],
    labels: [
      ...spec.ownership.labels,
      { label: NODE_LABEL, value: plan.name },
      { label: CLUSTER_LABEL, value: spec.cluster },
      { label: RESTART_SETTINGS_LABEL, value: made.restartSettings },
    ],
    networkMode: "bridge",
    networksAdvanced: [{ name: spec.networkName, aliases: [plan.name] }],
    ports: [
      publish(CLIENT_PORT, spec.bindAddress, plan.clientPort),
      publish(MONITOR_PORT, spec.monitorAddress, plan.monitorPort),
    ],
    volumes: [
      { volumeName: made.config, containerPath: CONFIG_DIR, readOnly: true },
      { volumeName: made.data, containerPath: DATA_DIR },
    ],
    user: `${NODE_USER}:${NODE_USER}`,
    readOnly: true,
    capabilities: { drops: ["ALL"] },
    securityOpts: ["no-new-privileges"],
    memory: memoryMib,
    memorySwap: memoryMib,
    // Not `on-failure:5`, which gives a server up for good after a bad minute, and with it perhaps a majority:
    // the engine waits longer from one start to the next, up to a minute. That a server is back by itself after
    // a crash of the machine is safe as long as it has synced what it acknowledged, see `syncInterval`.
    restart: "unless-stopped",
    // No health check: the image holds nothing but nats-server, which can't ask another for its health.
    stopTimeout: STOP_SECONDS,
    destroyGraceSeconds: STOP_SECONDS,
  };
}

function generationOf(volume: docker.Volume): pulumi.Output<string> {
  return volume.labels.apply(
    (labels) => labels?.find(({ label }) => label === GENERATION_LABEL)?.value ?? "",
  );
}
