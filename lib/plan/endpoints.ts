/** Where nodes are reached: by clients, by other nodes, and by browsers of their pages. */
import { createHash } from "node:crypto";
import { canonicalName, hostAndPort, isEverywhere, reachedHere } from "../base/addresses.ts";
import type { Problem } from "../base/errors.ts";
import type { Listener } from "../nodes/listeners.ts";
import { ROUTE_PORT } from "../nodes/nats-conf.ts";
import { type Advertised, advertisedOf } from "../topology/advertise.ts";
import type { EngineMap, EnginePlan } from "../topology/engines.ts";
import type { NodePlace } from "../topology/topology.ts";
import type { Settings } from "./settings.ts";

/** Where a node is reached. */
export interface Endpoints {
  readonly engine: EnginePlan | undefined;
  readonly bindAddress: string;
  readonly clientPort: number;
  /** By which its ports are reached. */
  readonly host: string;
  /** `host:port` by which the stack itself reaches it as a client. */
  readonly dial: string;
  /** What servers tell clients of; absent: the addresses of its container. */
  readonly told?: Told | "nothing";
  /** What the settings say of that, or the machine's address; absent without both. It has no ports of nodes. */
  readonly advertise?: string;
  /** `host:port` for other nodes. */
  readonly route: string;
  readonly routePort: number | undefined;
  readonly pages:
    | { readonly address: string; readonly port: number; readonly url: string }
    | undefined;
}

/** Where clients reach a node, as servers tell them. */
export interface Told {
  readonly host: string;
  /** `host:port`. */
  readonly client: string;
}

/** Nodes on one engine reach each other by name, in its network; those on several by their machines' addresses. */
export function planEndpoints(
  place: NodePlace,
  engines: EngineMap,
  settings: Settings,
  advertised: Advertised | "none" | undefined,
): Endpoints {
  const engine = engines.find(place);
  const clientPort = settings.clientPort + place.portOffset;
  const pages = pagesOf(settings, place, engine);
  const said = advertised && {
    told:
      advertised === "none"
        ? ("nothing" as const)
        : { host: advertised.host, client: hostAndPort(advertised.host, advertised.port) },
    advertise: advertised === "none" ? advertised : advertised.words,
  };
  if (!engine) {
    const { bindAddress } = settings;
    const host = reachedHere(bindAddress);
    const dial = hostAndPort(host, clientPort);
    return {
      engine,
      bindAddress,
      host,
      clientPort,
      dial,
      // No single address is right for all clients, if ports are published on all.
      ...(isEverywhere(bindAddress) ? {} : { told: { host, client: dial } }),
      ...said,
      route: `${place.name}:${ROUTE_PORT}`,
      routePort: undefined,
      pages,
    };
  }
  const routePort = settings.routePort + place.portOffset;
  const dial = hostAndPort(engine.address, clientPort);
  return {
    engine,
    bindAddress: engine.bindAddress,
    host: engine.address,
    clientPort,
    dial,
    told: { host: engine.address, client: dial },
    advertise: engine.address,
    ...said,
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
  const host = engine && isEverywhere(address) ? engine.address : reachedHere(address);
  return { address, port, url: `${scheme}://${hostAndPort(host, port)}` };
}

/** What the settings say that clients are told of each node, by its name. */
export function advertisedBy(
  places: readonly NodePlace[],
  { advertise, clientPort }: Settings,
): ReadonlyMap<string, Advertised | "none" | undefined> {
  const nodes = places.map((place) => ({ ...place, clientPort: clientPort + place.portOffset }));
  return new Map(nodes.map((node) => [node.name, advertisedOf(node, nodes, advertise)]));
}

/** `host:port` of listeners, by their settings. */
export function addressesOf(
  listeners: readonly Listener[],
  host: string,
): Readonly<Partial<Record<Listener["setting"], string>>> {
  return Object.fromEntries(
    listeners.map(({ setting, port }) => [setting, hostAndPort(host, port)] as const),
  );
}

/** Schemes of the URLs of listeners, without TLS and with it. */
const SCHEMES: Readonly<Record<Listener["setting"], readonly [string, string]>> = {
  leafNodePort: ["nats-leaf", "tls"],
  websocketPort: ["ws", "wss"],
  mqttPort: ["mqtt", "mqtts"],
};

/** URLs of listeners, by their settings. */
export function listenerUrls(
  listeners: readonly Listener[],
  host: string,
  hasTls: boolean,
): Readonly<Partial<Record<Listener["setting"], string>>> {
  return Object.fromEntries(
    listeners.map(({ setting, port }) => [
      setting,
      `${SCHEMES[setting][hasTls ? 1 : 0]}://${hostAndPort(host, port)}`,
    ]),
  );
}

/**
 * A subnet for containers, as private networks have them (RFC 4193): the same on each engine, as nobody sees it from
 * elsewhere, and another one for each cluster.
 */
export function subnetOf(prefix: string): string {
  const digits = createHash("sha256").update(prefix).digest("hex");
  const groups = [`fd${digits.slice(0, 2)}`, ...[2, 6, 10].map((at) => digits.slice(at, at + 4))];
  return `${canonicalName(`${groups.join(":")}::`)}/64`;
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
