import { z } from "zod";
import { hostAndPort, reachedHere, withoutBrackets } from "../base/addresses.ts";
import { MONITOR_PORT } from "./nats-conf.ts";

/**
 * The URL of a container's port on the engine's host.
 *
 * @param ports column of `docker ps`, e.g. `127.0.0.1:8222->8222/tcp, :::8222->8222/tcp, 6222/tcp`.
 * @param inner the port in the container.
 * @param scheme the URL's scheme. Default: `http`.
 * @returns e.g. `http://127.0.0.1:8222`; undefined if the port isn't published, as while the container is stopped.
 */
export function publishedUrl(
  ports: string,
  inner: number,
  scheme: "http" | "https" = "http",
): string | undefined {
  const address = publishedAddress(ports, inner);
  return address === undefined ? undefined : `${scheme}://${address}`;
}

/**
 * The address of a container's port on the engine's host, as {@link publishedUrl}, e.g. `127.0.0.1:8222`.
 *
 * @param machine by which that host is reached. Default: where the port is published.
 */
export function publishedAddress(
  ports: string,
  inner: number,
  machine?: string,
): string | undefined {
  const [, spelled = "", port] = ports.match(new RegExp(`([^\\s,]+):(\\d+)->${inner}/tcp`)) ?? [];
  if (port === undefined) return undefined;
  if (machine !== undefined) return hostAndPort(machine, Number(port));
  // Docker up to 20.10 leaves out brackets.
  return hostAndPort(reachedHere(withoutBrackets(spelled)), Number(port));
}

/**
 * All ports on the engine's host on which a container's ports are published.
 *
 * @param ports column of `docker ps`.
 */
export function publishedPorts(ports: string): number[] {
  return Array.from(ports.matchAll(/:(\d+)->/g), ([, port]) => Number(port));
}

/**
 * The URL of a node's monitoring pages, as far as they can be reached from here: on another machine, they are for that
 * machine alone.
 *
 * @param ports see {@link publishedUrl}.
 * @param restartSettings see {@link schemeOf}.
 * @param machine see {@link publishedAddress}.
 */
export function pagesUrl(
  ports: string,
  restartSettings: string,
  machine: string | undefined,
): string | undefined {
  if (machine !== undefined) return undefined;
  return publishedUrl(ports, MONITOR_PORT, schemeOf(restartSettings));
}

const settingsWithTls = z.object({ tls: z.string().optional() });

/**
 * The scheme of a node's monitoring port.
 *
 * @param restartSettings JSON of the container's label `nats-regions.restart-settings`; empty if it has none.
 */
export function schemeOf(restartSettings: string): "http" | "https" {
  if (restartSettings === "") return "http";
  const { tls } = settingsWithTls.parse(JSON.parse(restartSettings));
  return tls === undefined ? "http" : "https";
}
