import type { local } from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { CLUSTER_LABEL, GENERATION_LABEL } from "../lib/nodes/labels.ts";
import { ENCRYPTION_FILE, MONITOR_SEED_FILE } from "../lib/nodes/nats-conf.ts";
import { packNodeFiles } from "../lib/nodes/node-files.ts";
import type { NodePlan } from "../lib/plan/plan.ts";
import type { NodeChange } from "../lib/update/node-changes.ts";
import type { Engine } from "../live/engine/engine.ts";
import { enginesVariable } from "../live/engine/told-engines.ts";
import type { EngineParts } from "./engine-parts.ts";
import { makeRoomFor } from "./hooks/make-room.ts";
import { allMade } from "./known-value.ts";
import { type ContainerSpec, containerArgs, transformedFields } from "./node-container.ts";
import { ownerFilter } from "./ownership.ts";
import type { NodeFiles } from "./parts/node-certificates.ts";
import type { EngineState } from "./preflight/inspect-engine.ts";
import { createScript, runCommand } from "./steps/script.ts";
import { scriptPatience } from "./steps/script-patience.ts";
import { changedFields, type Transforms, withFields } from "./transforms.ts";

/** What the nodes of a cluster have in common. */
export interface ContainerSettings extends ContainerSpec {
  /** Milliseconds without progress after which waiting for a node fails. */
  readonly patience: number;
  /** Whether the data volume stays on the engine when the node is removed. */
  readonly keepsVolumes: boolean;
  /** `accounts.conf`, which holds the hashes of passwords. */
  readonly accountsConf: pulumi.Output<string>;
  /** The file with the encryption key, a secret; absent without encryption. */
  readonly encryptionConf?: pulumi.Output<string>;
  /** The seed of the nkey by which the stack looks at its cluster; a secret. */
  readonly monitorSeed: pulumi.Output<string>;
  /** Certificate files by file name, for each node name; empty without TLS. */
  readonly certificates: ReadonlyMap<string, NodeFiles>;
  /** What nodes on an engine share, by the engine's key. */
  readonly parts: ReadonlyMap<string, EngineParts>;
  readonly engines: readonly Engine[];
  /**
   * Creates the hook that keeps a volume. Undefined with `npx pulumi`, which prevents the replacement of volumes
   * itself.
   */
  readonly keepVolume: ((engine: Engine, volume: string) => pulumi.ResourceHook) | undefined;
  /** What existed before this update. */
  readonly before: EngineState;
  readonly transform?: Transforms;
}

export interface NatsNodeArgs {
  readonly plan: NodePlan;
  readonly settings: ContainerSettings;
  /**
   * When the server loaded a config that isn't the planned one, RFC 3339: the config is then written and reloaded
   * again.
   */
  readonly driftedAt: string | undefined;
  /** JSON for the label of its container. The container is replaced when it changes. */
  readonly label: string;
  /** What has to be ready before the node is created or changed, e.g. the gate of the previous wave. */
  readonly after: readonly pulumi.Resource[];
  /** If the node is to lead a new meta group, the other nodes: its server starts after theirs. */
  readonly followers: readonly NatsNode[] | undefined;
  /** If the node is to be restarted, the hook that waits until it may go down. */
  readonly turn: pulumi.ResourceHook | undefined;
  /** See {@link NodeChange.mayHaveStopped}. */
  readonly mayHaveStopped: boolean;
}

/**
 * One NATS server: a config volume, a data volume, and the container.
 *
 * A changed config is written to the running node and reloaded. Settings that a reload can't change are in a label of
 * the container, so a change of them replaces the container. The data volume stays.
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
  /** URL of the monitoring pages; undefined if it has none. */
  readonly monitoringUrl: string | undefined;
  /** URL for clients by WebSocket; undefined if it takes none. */
  readonly websocketUrl: string | undefined;
  /** URL for clients by MQTT; undefined if it takes none. */
  readonly mqttUrl: string | undefined;
  /** URL for leaf nodes outside of the network; undefined if it takes none. */
  readonly publishedLeafNodeUrl: string | undefined;

  constructor(name: string, args: NatsNodeArgs, opts?: pulumi.ComponentResourceOptions) {
    const { plan, settings } = args;
    super("nats-regions:index:NatsNode", name, { serverTags: plan.serverTags }, opts);

    const options = (volume: string) => ({
      parent: this,
      ...providedBy(partsOf(plan, settings)),
      ...keptOptions(args, volume),
      ...frozen(plan, settings),
    });
    const config = createVolume(
      `${name}-config`,
      plan.configVolume,
      settings,
      options(plan.configVolume),
    );
    const volumeArgs = { name: plan.dataVolume, labels: [] };
    const data = createVolume(
      `${name}-data`,
      plan.dataVolume,
      settings,
      { ...options(plan.dataVolume), retainOnDelete: settings.keepsVolumes },
      changedFields("volume", settings.transform?.volume, volumeArgs, plan.name),
    );
    const configured = configureNode(name, args, { config, data }, this);
    this.container = createContainer(name, args, { config, data, configured }, this);

    this.dataVolume = data;
    this.containerId = this.container.id;
    this.clientUrl = plan.clientUrl;
    this.monitoringUrl = plan.monitoringUrl;
    this.websocketUrl = plan.listenerUrls.websocketPort;
    this.mqttUrl = plan.listenerUrls.mqttPort;
    this.publishedLeafNodeUrl = plan.listenerUrls.leafNodePort;
    this.registerOutputs({ clientUrl: plan.clientUrl, monitoringUrl: plan.monitoringUrl });
  }
}

interface Volumes {
  readonly config: docker.Volume;
  readonly data: docker.Volume;
}

/** The hook that prevents the replacement of a volume that the node may have already. */
function keptOptions(
  { plan, settings }: NatsNodeArgs,
  volume: string,
): Pick<pulumi.CustomResourceOptions, "hooks"> {
  const { before, keepVolume } = settings;
  const isNew = !before.containers.has(plan.containerName) && !before.containerless.has(plan.name);
  if (isNew || !keepVolume) return {};
  const { engine } = partsOf(plan, settings);
  return { hooks: { beforeCreate: [keepVolume(engine, volume)] } };
}

/** What the node shares with others on its engine. */
function partsOf({ engine }: NodePlan, { parts }: ContainerSettings): EngineParts {
  const found = parts.get(engine?.key ?? "");
  if (!found) throw new Error(`there is no engine ${engine?.key}`);
  return found;
}

/** Keeps a resource as it is in the state, if the node's engine doesn't answer: nothing then connects to it. */
function frozen(
  { name }: NodePlan,
  { before }: ContainerSettings,
): Pick<pulumi.CustomResourceOptions, "ignoreChanges"> {
  return before.silent.has(name) ? { ignoreChanges: ["*"] } : {};
}

/** The provider of the node's engine. */
function providedBy({ provider }: EngineParts): Pick<pulumi.CustomResourceOptions, "provider"> {
  return provider ? { provider } : {};
}

/**
 * @param fields in addition to those of every volume. They don't apply to an existing volume: replacing it would lose
 * its data.
 */
function createVolume(
  name: string,
  volumeName: string,
  { ownership, cluster }: Pick<ContainerSettings, "ownership" | "cluster">,
  options: pulumi.CustomResourceOptions,
  fields: Partial<docker.VolumeArgs> = {},
): docker.Volume {
  // A recreated volume gets a new label value, so its node is configured again. The value is unknown in a preview,
  // because an `up` with a saved plan has to use the plan's inputs exactly.
  const value = pulumi.runtime.isDryRun()
    ? pulumi.output(pulumi.unknown).apply(String)
    : String(Date.now());
  const labels = [
    { label: GENERATION_LABEL, value },
    { label: CLUSTER_LABEL, value: cluster },
  ];
  const args = { name: volumeName, labels: [...ownership.labels, ...labels] };
  return new docker.Volume(name, withFields<docker.VolumeArgs>(args, fields), {
    ignoreChanges: ["labels", "driver", "driverOpts", "cluster"],
    ...options,
  });
}

function configureNode(
  name: string,
  { plan, settings, driftedAt, label: restartSettings, after, followers, turn }: NatsNodeArgs,
  { config, data }: Volumes,
  parent: pulumi.Resource,
): local.Command {
  return createScript(
    `${name}-configured`,
    {
      create: runCommand(
        "configure",
        ...(followers ? ["--first-leader"] : []),
        // Options that the program doesn't know are for the server to judge, before a server is started with them.
        ...(plan.conf.config ? ["--check"] : []),
      ),
      update: runCommand("configure", "--test"),
      stdin: pulumi
        .all([settings.accountsConf, pulumi.output(otherFiles(plan, settings))])
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
        ...configureVariables(plan, settings),
        ...scriptPatience(settings),
      },
      // Without drift, the variable keeps its last value.
      transient: { STRAYED_AT: driftedAt },
    },
    {
      parent,
      dependsOn: dependenciesAfter(after, [partsOf(plan, settings).pulled]),
      ...frozen(plan, settings),
      ...(turn ? { hooks: { beforeCreate: [turn], beforeUpdate: [turn] } } : {}),
    },
  );
}

/** The files of the config volume besides `nats.conf` and `accounts.conf`. */
function otherFiles(
  { name }: NodePlan,
  { certificates, monitorSeed, encryptionConf }: ContainerSettings,
): NodeFiles {
  return {
    ...certificates.get(name),
    [MONITOR_SEED_FILE]: monitorSeed,
    ...(encryptionConf === undefined ? {} : { [ENCRYPTION_FILE]: encryptionConf }),
  };
}

/**
 * Waits for other resources without depending on them in the state: in another update, nodes come in another order, see
 * `independent`.
 */
async function dependenciesAfter(
  awaited: readonly pulumi.Resource[],
  dependencies: pulumi.Input<pulumi.Resource>[],
): Promise<pulumi.Input<pulumi.Resource>[]> {
  await allMade(awaited);
  return dependencies;
}

function createContainer(
  name: string,
  { plan, settings, label, after, followers = [], mayHaveStopped }: NatsNodeArgs,
  { config, data, configured }: Volumes & { readonly configured: local.Command },
  parent: pulumi.Resource,
): docker.Container {
  const { before, transform } = settings;
  const parts = partsOf(plan, settings);
  const dependencies = dependenciesAfter(
    [...after, ...followers.map(({ container }) => container)],
    [parts.network, parts.pulled, configured],
  );
  // The settings that the config was last written with. An update that skips the Command, as with `--target`, leaves
  // the file as it was.
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
      ...providedBy(parts),
      // Restarting a node replaces its container, which Pulumi would refuse in a protected cluster. Deleting the
      // cluster is still prevented, by the protected shutdown step, which comes before the containers.
      protect: false,
      deleteBeforeReplace: true,
      // If the provider reads a stopped container, as by `pulumi refresh`, the state has it without ports from then on.
      // It would be replaced for them although it runs again: a restart that was announced to nobody. Other ports
      // replace it all the same, because they are in its label. Containers that were never stopped keep the fields, so
      // that a refresh shows when they are.
      ...(mayHaveStopped ? { ignoreChanges: ["mustRun", "ports"] } : {}),
      ...frozen(plan, settings),
      dependsOn: dependencies,
      hooks: {
        beforeCreate: [
          ...(before.containers.has(plan.containerName)
            ? [makeRoomFor(parts.engine, plan.containerName, settings.ownership)]
            : []),
          ...(before.hasNetwork ? [] : [parts.ensureNetwork]),
        ],
        afterCreate: [parts.limitProcesses],
      },
    },
  );
}

/** Where the script that writes the node's config finds its engine, and those of the other nodes. */
function configureVariables(
  { engine }: NodePlan,
  { engines }: ContainerSettings,
): Readonly<Record<string, string>> {
  return engine === undefined ? {} : { ...enginesVariable(engines), ENGINE: engine.key };
}

function generationOf(volume: docker.Volume): pulumi.Output<string> {
  return volume.labels.apply(
    (labels) => labels?.find(({ label }) => label === GENERATION_LABEL)?.value ?? "",
  );
}
