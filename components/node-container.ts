import type * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import { CLUSTER_LABEL, NODE_LABEL, RESTART_SETTINGS_LABEL } from "../lib/nodes/labels.ts";
import {
  CLIENT_PORT,
  CONFIG_DIR,
  DATA_DIR,
  MONITOR_PORT,
  ROUTE_PORT,
} from "../lib/nodes/nats-conf.ts";
import { NODE_USER } from "../lib/nodes/node-files.ts";
import type { NodePlan } from "../lib/plan/plan.ts";
import type { Ownership } from "./ownership.ts";
import { changedFields, type Transforms } from "./transforms.ts";

const STOP_SECONDS = 30;

/** What the settings contribute to a node's container. */
export interface ContainerSpec {
  /** Name of the NATS cluster. */
  readonly cluster: string;
  readonly image: string;
  /** Host address that the monitoring port is published on. */
  readonly monitorAddress: string;
  /** Memory limit of the container, bytes. GOMEMLIMIT is set to 80% of it. */
  readonly memory: number;
  readonly networkName: string;
  readonly ownership: Ownership;
}

/** The container fields that the user's transform changes for a node. @throws pulumi.RunError */
export function transformedFields(
  transform: Transforms | undefined,
  plan: NodePlan,
  spec: ContainerSpec,
): Readonly<Record<string, unknown>> {
  const { configVolume: config, dataVolume: data } = plan;
  const args = containerArgs(plan, spec, { config, data, restartSettings: "" });
  return changedFields("container", transform?.container, args, plan.name);
}

/**
 * The args of a node's container.
 *
 * @param made names of its volumes, and the value of its label.
 */
export function containerArgs(
  plan: NodePlan,
  spec: ContainerSpec,
  made: Readonly<Record<"config" | "data" | "restartSettings", pulumi.Input<string>>>,
): docker.ContainerArgs {
  const memoryMib = Math.ceil(spec.memory / 1024 ** 2);
  // On one address: of two, the provider (5.2) sees changes where there are none, as it reads them in any order.
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
      publish(CLIENT_PORT, plan.bindAddress, plan.clientPort),
      ...(plan.routePort === undefined
        ? []
        : [publish(ROUTE_PORT, plan.bindAddress, plan.routePort)]),
      ...(plan.monitorPort === undefined
        ? []
        : [publish(MONITOR_PORT, spec.monitorAddress, plan.monitorPort)]),
      ...plan.listeners.map(({ inner, port }) => publish(inner, plan.bindAddress, port)),
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
    // Not `on-failure:5`, which after a bad minute stops restarting a server for good, and may cost a majority. With
    // `unless-stopped` the engine waits longer between starts, up to a minute. A server may come back by itself after a
    // crash of the machine, because it has synced what it acknowledged, see `syncInterval`.
    restart: "unless-stopped",
    // No health check: the image has no other program than nats-server, which can't query another server's health.
    stopTimeout: STOP_SECONDS,
    destroyGraceSeconds: STOP_SECONDS,
  };
}
