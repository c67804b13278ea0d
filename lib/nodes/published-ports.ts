import { z } from "zod";

/**
 * Where a port of a container is reached from here.
 *
 * @param ports as `docker ps` has them, e.g. `127.0.0.1:8222->8222/tcp, 6222/tcp`.
 * @param inner the port inside.
 * @param scheme what it speaks. Default: `http`.
 * @returns e.g. `http://127.0.0.1:8222`; undefined where it isn't published, as while the container is down.
 */
export function publishedUrl(
  ports: string,
  inner: number,
  scheme: "http" | "https" = "http",
): string | undefined {
  const address = publishedAddress(ports, inner);
  return address === undefined ? undefined : `${scheme}://${address}`;
}

/** The same without a scheme, e.g. `127.0.0.1:8222`. */
export function publishedAddress(ports: string, inner: number): string | undefined {
  const [, host, port] = ports.match(new RegExp(`([\\d.]+):(\\d+)->${inner}/tcp`)) ?? [];
  if (port === undefined) return undefined;
  return `${host === "0.0.0.0" ? "127.0.0.1" : host}:${port}`;
}

/** All ports on the engine's host that a container has. @param ports as `docker ps` has them. */
export function publishedPorts(ports: string): number[] {
  return Array.from(ports.matchAll(/:(\d+)->/g), ([, port]) => Number(port));
}

const settingsWithTls = z.object({ tls: z.string().optional() });

/**
 * What a node's monitoring port speaks.
 *
 * @param restartSettings as the container's label has them, JSON; empty where it has none.
 */
export function schemeOf(restartSettings: string): "http" | "https" {
  if (restartSettings === "") return "http";
  const { tls } = settingsWithTls.parse(JSON.parse(restartSettings));
  return tls === undefined ? "http" : "https";
}
