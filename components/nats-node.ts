import { local } from "@pulumi/command";
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
import type { NodeFiles } from "./node-certificates.ts";
import { makeRoomFor, type Ownership, ownerFilter } from "./ownership.ts";
import type { EngineState } from "./preflight.ts";
import { runCommand } from "./run-command.ts";

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
  readonly limitProcesses: pulumi.ResourceHook;
  readonly engine: Engine;
  /** What was there already. */
  readonly before: EngineState;
  readonly ownership: Ownership;
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

/**
 * One NATS server: two volumes, the config in one of them, the container.
 *
 * A changed config is written into the running node and reloaded. Where that can't be, the settings in a
 * label, which no reload changes, replace the container; its data volume stays.
 */
export class NatsNode extends pulumi.ComponentResource {
  readonly containerId: pulumi.Output<string>;

  constructor(name: string, args: NatsNodeArgs, opts?: pulumi.ComponentResourceOptions) {
    const { plan, settings } = args;
    super("nats-regions:index:NatsNode", name, { serverTags: plan.serverTags }, opts);

    const config = createVolume(`${name}-config`, plan.configVolume, settings.ownership, this);
    const data = createVolume(`${name}-data`, plan.dataVolume, settings.ownership, this, {
      retainOnDelete: settings.keepsVolumes,
    });
    const configured = configureNode(name, args, { config, data }, this);
    const container = createContainer(name, args, { config, data, configured }, this);

    this.containerId = container.id;
    this.registerOutputs({ clientUrl: plan.clientUrl, monitoringUrl: plan.monitoringUrl });
  }
}

interface Volumes {
  readonly config: docker.Volume;
  readonly data: docker.Volume;
}

function createVolume(
  name: string,
  volumeName: string,
  ownership: Ownership,
  parent: pulumi.Resource,
  options: pulumi.CustomResourceOptions = {},
): docker.Volume {
  // The label of a volume that had to be made anew differs: its node is then configured again. A preview doesn't know
  // it, as an `up` that goes by a saved plan makes what the plan has, to the letter.
  const value = pulumi.runtime.isDryRun()
    ? pulumi.output(pulumi.unknown).apply(String)
    : String(Date.now());
  const generation = { label: GENERATION_LABEL, value };
  return new docker.Volume(
    name,
    { name: volumeName, labels: [...ownership.labels, generation] },
    { ...options, parent, ignoreChanges: ["labels"] },
  );
}

function configureNode(
  name: string,
  { plan, settings, strayedAt, label: restartSettings, after, turn }: NatsNodeArgs,
  { config, data }: Volumes,
  parent: pulumi.Resource,
): local.Command {
  return new local.Command(
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
        STRAYED_AT: strayedAt ?? "",
      },
      logging: local.Logging.None,
    },
    {
      parent,
      dependsOn: [settings.pulled, ...after],
      // A node that is itself again keeps the time that it last wasn't.
      ignoreChanges: strayedAt === undefined ? ["environment.STRAYED_AT"] : [],
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
  const { engine, before } = settings;
  const memoryMib = Math.ceil(settings.memory / 1024 ** 2);
  // What the config was written by: an update that leaves the Command out, as `--target` can, leaves the file as it was.
  const restartSettings = configured.environment.apply(
    (environment) => environment?.RESTART_SETTINGS ?? label,
  );
  const publish = (internal: number, ip: string, external: number) => ({
    internal,
    external,
    ip,
    protocol: "tcp",
  });
  return new docker.Container(
    `${name}-container`,
    {
      name: plan.containerName,
      image: settings.image,
      hostname: plan.name,
      command: ["--config", `${CONFIG_DIR}/nats.conf`],
      envs: [`GOMEMLIMIT=${Math.floor(settings.memory * 0.8)}`],
      labels: [
        ...settings.ownership.labels,
        { label: NODE_LABEL, value: plan.name },
        { label: CLUSTER_LABEL, value: settings.cluster },
        { label: RESTART_SETTINGS_LABEL, value: restartSettings },
      ],
      networkMode: "bridge",
      networksAdvanced: [{ name: settings.networkName, aliases: [plan.name] }],
      ports: [
        publish(CLIENT_PORT, settings.bindAddress, plan.clientPort),
        publish(MONITOR_PORT, settings.monitorAddress, plan.monitorPort),
      ],
      volumes: [
        { volumeName: config.name, containerPath: CONFIG_DIR, readOnly: true },
        { volumeName: data.name, containerPath: DATA_DIR },
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
    },
    {
      parent,
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

function generationOf(volume: docker.Volume): pulumi.Output<string> {
  return volume.labels.apply(
    (labels) => labels?.find(({ label }) => label === GENERATION_LABEL)?.value ?? "",
  );
}
