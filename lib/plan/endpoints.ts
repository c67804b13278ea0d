/** Where nodes are reached: by clients, by other nodes, and by browsers of their pages. */
import { hostAndPort } from "../base/addresses.ts";
import type { Problem } from "../base/errors.ts";
import type { Listener } from "../nodes/listeners.ts";
import { ROUTE_PORT } from "../nodes/nats-conf.ts";
import { fillIn } from "../tls/client-tls.ts";
import type { EngineMap, EnginePlan } from "../topology/engines.ts";
import type { NodePlace } from "../topology/topology.ts";
import type { Settings } from "./settings.ts";

/** Where a node is reached. */
export interface Endpoints {
  readonly engine: EnginePlan | undefined;
  readonly bindAddress: string;
  readonly clientPort: number;
  /** Where clients are told to reach it: host name or address. */
  readonly clientHost: string;
  /** Whether `clientHost` is right for all clients. No single address is, if ports are published on all. */
  readonly isPublic: boolean;
  /** `host:port` by which the stack itself reaches it as a client. */
  readonly dial: string;
  /** `host:port` for other nodes. */
  readonly route: string;
  readonly routePort: number | undefined;
  readonly pages:
    | { readonly address: string; readonly port: number; readonly url: string }
    | undefined;
}

/** Nodes on one engine reach each other by name, in its network; those on several by their machines' addresses. */
export function planEndpoints(place: NodePlace, engines: EngineMap, settings: Settings): Endpoints {
  const engine = engines.find(place);
  const clientPort = settings.clientPort + place.portOffset;
  const pages = pagesOf(settings, place, engine);
  const named = settings.clientTls?.address;
  const clientName = named === undefined ? undefined : fillIn(named, place);
  if (!engine) {
    const { bindAddress } = settings;
    const host = connectAddress(bindAddress);
    return {
      engine,
      bindAddress,
      clientPort,
      clientHost: clientName ?? host,
      isPublic: clientName !== undefined || host === bindAddress,
      dial: `${host}:${clientPort}`,
      route: `${place.name}:${ROUTE_PORT}`,
      routePort: undefined,
      pages,
    };
  }
  const routePort = settings.routePort + place.portOffset;
  return {
    engine,
    bindAddress: engine.bindAddress,
    clientPort,
    clientHost: clientName ?? engine.address,
    isPublic: true,
    dial: hostAndPort(engine.address, clientPort),
    route: hostAndPort(engine.address, routePort),
    routePort,
    pages,
  };
}

/** Where a node's monitoring pages are published; undefined if it has none. */
function pagesOf(
  { monitorPort, monitorAddress: address, tls }: Settings,
  { portOffset }: NodePlace,
  engine: EnginePlan | undefined,
): Endpoints["pages"] {
  if (monitorPort === 0) return undefined;
  const port = monitorPort + portOffset;
  const scheme = tls === "none" ? "http" : "https";
  const host = engine && address === EVERYWHERE ? engine.address : connectAddress(address);
  return { address, port, url: `${scheme}://${hostAndPort(host, port)}` };
}

const EVERYWHERE = "0.0.0.0";

/** The address to connect to from the engine's host. Ports published on all addresses are reached on loopback. */
function connectAddress(address: string): string {
  return address === EVERYWHERE ? "127.0.0.1" : address;
}

/** A node's ports on its engine's host. */
interface Ports {
  readonly name: string;
  readonly clientPort: number;
  readonly routePort?: number;
  readonly monitorPort?: number;
  readonly listeners: readonly Listener[];
}

/** Reports ports that two listeners would share, and ports above the maximum. */
export function portProblems(nodes: readonly Ports[]): Problem[] {
  const all = nodes.flatMap(({ name, clientPort, routePort, monitorPort, listeners }) => [
    { setting: "clientPort", name, port: clientPort },
    ...(routePort === undefined ? [] : [{ setting: "routePort", name, port: routePort }]),
    ...(monitorPort === undefined ? [] : [{ setting: "monitorPort", name, port: monitorPort }]),
    ...listeners.map(({ setting, port }) => ({ setting, name, port })),
  ]);
  const taken = new Map<number, (typeof all)[number]>();
  return all.flatMap(({ setting, name, port }) => {
    const other = taken.get(port);
    taken.set(port, { setting, name, port });
    if (other) {
      const message = `port ${port} of ${name} is also the ${other.setting} of ${other.name}`;
      return [{ path: setting, message, fix: `set ${other.setting} and ${setting} further apart` }];
    }
    return port <= 65_535
      ? []
      : [
          {
            path: setting,
            message: `${name} would get port ${port}`,
            fix: "use a lower first port",
          },
        ];
  });
}
