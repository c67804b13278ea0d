/**
 * Where a port of a container is reached from here.
 *
 * @param ports as `docker ps` has them, e.g. `127.0.0.1:8222->8222/tcp, 6222/tcp`.
 * @param inner the port inside.
 * @returns e.g. `http://127.0.0.1:8222`; undefined where it isn't published, as while the container is down.
 */
export function publishedUrl(ports: string, inner: number): string | undefined {
  const [, address, port] = ports.match(new RegExp(`([\\d.]+):(\\d+)->${inner}/tcp`)) ?? [];
  if (port === undefined) return undefined;
  return `http://${address === "0.0.0.0" ? "127.0.0.1" : address}:${port}`;
}
