import { local } from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { createTar } from "nanotar";
import { CLIENT_PORT, CONFIG_DIR, DATA_DIR, MONITOR_PORT } from "../lib/nats-conf.ts";
import type { NodePlan } from "../lib/plan.ts";
import {
  CLUSTER_LABEL,
  makeRoomFor,
  NODE_LABEL,
  type Ownership,
  RESTART_SETTINGS_LABEL,
} from "./ownership.ts";
import type { EngineState } from "./preflight.ts";

/** What the nodes of a cluster have in common. */
export interface NodeSettings {
  /** Name of the NATS cluster. */
  readonly cluster: string;
  readonly image: string;
  /** Host address that ports are published on. */
  readonly bindAddress: string;
  /** Bytes that the container may use; Go's own limit is set to 80% of it. */
  readonly memory: number;
  /** `accounts.conf`, which holds the passwords. */
  readonly accountsConf: pulumi.Output<string>;
  /** The pulled image, waited for; `image` names it. */
  readonly pulled: docker.RemoteImage;
  /** Waited for; `networkName` names it. */
  readonly network: pulumi.Resource;
  readonly networkName: string;
  readonly ensureNetwork: pulumi.ResourceHook;
  /** What was there already. */
  readonly engine: EngineState;
  readonly ownership: Ownership;
}

export interface NatsNodeArgs {
  readonly plan: NodePlan;
  readonly settings: NodeSettings;
  /** What has to be ready before the node is made or changed: the gate of the wave before. */
  readonly after: readonly pulumi.Resource[];
}

/** Neither root nor anybody on the host. */
const USER = 10_001;
const STOP_SECONDS = 30;
const CONFIGURE = "sh components/configure-node.sh";

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
    const data = createVolume(`${name}-data`, plan.dataVolume, settings.ownership, this);
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

const GENERATION_LABEL = "nats-regions.generation";

function createVolume(
  name: string,
  volumeName: string,
  ownership: Ownership,
  parent: pulumi.Resource,
): docker.Volume {
  // The label of a volume that had to be made anew differs: its node is then configured again.
  const generation = { label: GENERATION_LABEL, value: String(Date.now()) };
  return new docker.Volume(
    name,
    { name: volumeName, labels: [...ownership.labels, generation] },
    { parent, ignoreChanges: ["labels"] },
  );
}

function configureNode(
  name: string,
  { plan, settings, after }: NatsNodeArgs,
  { config, data }: Volumes,
  parent: pulumi.Resource,
): local.Command {
  const { label, value } = settings.ownership.label;
  return new local.Command(
    `${name}-configured`,
    {
      create: CONFIGURE,
      update: `${CONFIGURE} --test`,
      stdin: settings.accountsConf.apply((accounts) => packNodeFiles(plan.confText, accounts)),
      environment: {
        CONTAINER: plan.containerName,
        CONFIG_VOLUME: config.name,
        DATA_VOLUME: data.name,
        CONFIG_GENERATION: generationOf(config),
        DATA_GENERATION: generationOf(data),
        IMAGE: settings.image,
        OWNER: `${label}=${value}`,
        RESTART_SETTINGS: JSON.stringify(plan.restartSettings),
      },
      logging: local.Logging.None,
    },
    { parent, dependsOn: [settings.pulled, ...after] },
  );
}

function createContainer(
  name: string,
  { plan, settings, after }: NatsNodeArgs,
  { config, data, configured }: Volumes & { readonly configured: pulumi.Resource },
  parent: pulumi.Resource,
): docker.Container {
  const { engine } = settings;
  const memoryMib = Math.ceil(settings.memory / 1024 ** 2);
  const publish = (internal: number, external: number) => ({
    internal,
    external,
    ip: settings.bindAddress,
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
        { label: RESTART_SETTINGS_LABEL, value: JSON.stringify(plan.restartSettings) },
      ],
      networkMode: "bridge",
      networksAdvanced: [{ name: settings.networkName, aliases: [plan.name] }],
      ports: [publish(CLIENT_PORT, plan.clientPort), publish(MONITOR_PORT, plan.monitorPort)],
      volumes: [
        { volumeName: config.name, containerPath: CONFIG_DIR, readOnly: true },
        { volumeName: data.name, containerPath: DATA_DIR },
      ],
      user: `${USER}:${USER}`,
      readOnly: true,
      capabilities: { drops: ["ALL"] },
      securityOpts: ["no-new-privileges"],
      memory: memoryMib,
      memorySwap: memoryMib,
      restart: "unless-stopped",
      stopTimeout: STOP_SECONDS,
      destroyGraceSeconds: STOP_SECONDS,
    },
    {
      parent,
      deleteBeforeReplace: true,
      dependsOn: [settings.network, settings.pulled, configured, ...after],
      hooks: {
        beforeCreate: [
          ...(engine.containers.has(plan.containerName)
            ? [makeRoomFor(plan.containerName, settings.ownership)]
            : []),
          ...(engine.hasNetwork ? [] : [settings.ensureNetwork]),
        ],
      },
    },
  );
}

/**
 * Packs what lies in a node's volumes: its config, readable by the server alone, and the data folder,
 * owned by it (a fresh volume is root's). Base64, as it goes through stdin of a shell script.
 */
function packNodeFiles(conf: string, accountsConf: string): string {
  const owner = { uid: USER, gid: USER, mtime: 0 };
  const folder = (name: string) => ({ name, attrs: { ...owner, mode: "750" } });
  const file = (name: string, data: string) => ({
    name,
    data,
    attrs: { ...owner, mode: "440" },
  });
  const archive = createTar([
    folder(`${CONFIG_DIR.slice(1)}/`),
    file(`${CONFIG_DIR.slice(1)}/nats.conf`, conf),
    file(`${CONFIG_DIR.slice(1)}/accounts.conf`, accountsConf),
    folder(`${DATA_DIR.slice(1)}/`),
  ]);
  return Buffer.from(withoutPadding(archive)).toString("base64");
}

const TAR_BLOCK = 512;

/** Leaves of the zeros that fill an archive up to 10 KiB the two blocks that end it: the state holds them twice. */
function withoutPadding(archive: Uint8Array): Uint8Array {
  const used = archive.findLastIndex((byte) => byte !== 0) + 1;
  return archive.subarray(0, (Math.ceil(used / TAR_BLOCK) + 2) * TAR_BLOCK);
}

function generationOf(volume: docker.Volume): pulumi.Output<string> {
  return volume.labels.apply(
    (labels) => labels?.find(({ label }) => label === GENERATION_LABEL)?.value ?? "",
  );
}
