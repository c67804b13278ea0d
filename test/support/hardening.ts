import { execa } from "execa";
import { CONFIG_DIR, DATA_DIR } from "../../lib/nodes/nats-conf.ts";

/** The fields of `docker inspect` that are checked. */
interface Container {
  readonly Name: string;
  readonly Args: readonly string[];
  readonly Config: {
    readonly User: string;
    readonly Image: string;
    readonly Env: readonly string[];
    readonly Labels: Readonly<Record<string, string>>;
  };
  readonly HostConfig: {
    readonly Privileged: boolean;
    readonly ReadonlyRootfs: boolean;
    readonly PublishAllPorts: boolean;
    readonly CapAdd: readonly string[] | null;
    readonly CapDrop: readonly string[] | null;
    readonly SecurityOpt: readonly string[] | null;
    readonly Devices: readonly unknown[] | null;
    readonly Memory: number;
    readonly MemorySwap: number;
    readonly PidsLimit: number | null;
    readonly PidMode: string;
    readonly IpcMode: string;
    readonly UTSMode: string;
    readonly UsernsMode: string;
    readonly RestartPolicy: { readonly Name: string };
    readonly PortBindings: Readonly<Record<string, readonly { readonly HostIp: string }[]>>;
  };
  readonly Mounts: readonly {
    readonly Type: string;
    readonly Destination: string;
    readonly RW: boolean;
  }[];
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, unknown>> };
}

interface Network {
  readonly Name: string;
  readonly Driver: string;
  readonly Containers: Readonly<Record<string, { readonly Name: string }>>;
}

interface Volume {
  readonly Name: string;
  readonly Driver: string;
  readonly Options: Readonly<Record<string, string>> | null;
}

const CONTAINER_RULES: Readonly<
  Record<string, (container: Container, network: string) => boolean>
> = {
  "runs as a user that nobody else is": ({ Config }) => Config.User === "10001:10001",
  "is not privileged": ({ HostConfig }) => !HostConfig.Privileged,
  "has no capabilities": ({ HostConfig }) =>
    show(HostConfig.CapDrop) === '["ALL"]' && (HostConfig.CapAdd ?? []).length === 0,
  "gains no privileges, and has the engine's seccomp profile": ({ HostConfig }) =>
    show(HostConfig.SecurityOpt) === '["no-new-privileges"]',
  "can't write its root": ({ HostConfig }) => HostConfig.ReadonlyRootfs,
  "has no device": ({ HostConfig }) => (HostConfig.Devices ?? []).length === 0,
  "has limited memory, and no swap": ({ HostConfig }) =>
    HostConfig.Memory > 0 && HostConfig.MemorySwap === HostConfig.Memory,
  "has limited processes": ({ HostConfig }) => HostConfig.PidsLimit === 1_024,
  "shares no namespace": ({ HostConfig: { PidMode, UTSMode, UsernsMode, IpcMode } }) =>
    [PidMode, UTSMode, UsernsMode].every((mode) => mode === "") && IpcMode === "private",
  "comes back after a crash": ({ HostConfig }) =>
    HostConfig.RestartPolicy.Name === "unless-stopped",
  "is in the stack's own network alone": ({ NetworkSettings }, network) =>
    show(Object.keys(NetworkSettings.Networks)) === show([network]),
  "publishes clients' port alone, on the address told": ({ HostConfig }) =>
    !HostConfig.PublishAllPorts &&
    show(Object.keys(HostConfig.PortBindings).sort()) === '["4222/tcp"]' &&
    Object.values(HostConfig.PortBindings)
      .flat()
      .every(({ HostIp }) => HostIp === "127.0.0.1"),
  "mounts two volumes, the config read-only": ({ Mounts }) =>
    show(Mounts.map(({ Type, Destination, RW }) => `${Type} ${Destination} ${RW}`).sort()) ===
    show([`volume ${DATA_DIR} true`, `volume ${CONFIG_DIR} false`]),
  "is of a version": ({ Config }) => /:\d+\.\d+\.\d+/.test(Config.Image),
  "is told nothing in its environment": ({ Config }) =>
    Config.Env.every((variable) => /^(PATH|GOMEMLIMIT)=/.test(variable)),
  "is told nothing but where its config is": ({ Args }) =>
    show(Args) === show(["--config", `${CONFIG_DIR}/nats.conf`]),
  "has no labels but the stack's": ({ Config }) =>
    Object.keys(Config.Labels).every((label) => label.startsWith("nats-regions.")),
};

/** The weaknesses of all that a stack has on the engine, one sentence each. */
export async function weaknesses(prefix: string, stack: string): Promise<string[]> {
  const inspect = async <T>(list: readonly string[], kind: string): Promise<T[]> => {
    const label = `--filter=label=nats-regions.stack=nats-regions/${stack}`;
    const { stdout } = await execa("docker", [...list, "--quiet", label]);
    const inspected = await execa("docker", [kind, "inspect", ...stdout.split("\n")]);
    return JSON.parse(inspected.stdout);
  };
  const containers = await inspect<Container>(["ps", "--all"], "container");
  const networks = await inspect<Network>(["network", "ls"], "network");
  const volumes = await inspect<Volume>(["volume", "ls"], "volume");
  const files = await Promise.all(containers.map(({ Name }) => readableFiles(Name.slice(1))));
  return [
    ...containers.flatMap((container) =>
      Object.entries(CONTAINER_RULES)
        .filter(([, holds]) => !holds(container, prefix))
        .map(([rule]) => `${container.Name}: not so: it ${rule}`),
    ),
    ...files.flat().map((file) => `${file}: others may read it`),
    ...(networks.length === 1 ? [] : [`${networks.length} networks`]),
    ...networks
      .filter(({ Driver }) => Driver !== "bridge")
      .map(({ Name, Driver }) => `${Name}: ${Driver}`),
    ...networks.flatMap(({ Name, Containers }) =>
      Object.values(Containers)
        .filter((inside) => !inside.Name.startsWith(`${prefix}-`))
        .map((inside) => `${Name}: ${inside.Name} is in it`),
    ),
    ...(volumes.length === 2 * containers.length ? [] : [`${volumes.length} volumes`]),
    ...volumes
      .filter(({ Driver, Options }) => Driver !== "local" || Options !== null)
      .map(({ Name, Options }) => `${Name}: ${show(Options)}`),
  ];
}

/** Files of a node's config that others than the server can read, or that anybody can write. */
async function readableFiles(container: string): Promise<string[]> {
  const listing = `docker cp "${container}:${CONFIG_DIR}" - | tar --list --verbose --numeric-owner`;
  const { stdout } = await execa("sh", ["-c", listing]);
  const files = stdout.split("\n").filter((line) => line.endsWith(".conf"));
  return files.length === 2
    ? files
        .filter((line) => !/^-r--r----- 10001\/10001 /.test(line))
        .map((line) => `${container} ${line}`)
    : [`${container}: ${files.length} files`];
}

function show(value: unknown): string {
  return JSON.stringify(value);
}
