import { get as getPlain } from "node:http";
import { get as getSecure } from "node:https";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { z } from "zod";
import { PATIENCE_MS } from "../../lib/observed/waiting.ts";

/** A node and the URL of its monitoring port. */
export interface Monitor {
  readonly name: string;
  readonly url: string;
  /** PEM of the authorities that certify nodes; not there where the URL is no `https:` one. */
  readonly ca?: string;
}

export interface Page {
  readonly text: string;
  /** PEM of the node's certificate; not there without TLS. */
  readonly certificate?: string;
}

/** Reads a page of a node's monitoring port, see {@link readPageAsShown}. */
export async function readPage(node: Monitor, path: string, milliseconds: number): Promise<string> {
  return (await readPageAsShown(node, path, milliseconds)).text;
}

/**
 * Reads a page of a node's monitoring port, and the certificate that it shows. By `node:http`, as `fetch` takes no
 * authorities of one's own; the certificate has to be the node's own, by its name, whatever address the port is
 * published on.
 *
 * @throws Error where there is no answer, or none that can be trusted, within `milliseconds`.
 */
export function readPageAsShown(
  { name, url, ca }: Monitor,
  path: string,
  milliseconds: number,
): Promise<Page> {
  const signal = AbortSignal.timeout(milliseconds);
  const options = { agent: false, signal } as const;
  const trust = { servername: name, ...(ca === undefined ? {} : { ca }) };
  return new Promise((resolve, reject) => {
    const page = `${url}/${path}`;
    const request = url.startsWith("https:")
      ? getSecure(page, { ...options, ...trust })
      : getPlain(page, options);
    request
      .on("response", (response) => {
        const shown = certificateOf(response.socket);
        response.setEncoding("utf8").on("error", reject);
        response.toArray().then((chunks) => resolve({ text: chunks.join(""), ...shown }), reject);
      })
      .on("error", reject);
  });
}

function certificateOf(socket: Socket): Pick<Page, "certificate"> {
  const shown = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  return shown ? { certificate: shown.toString() } : {};
}

/** Nodes as a variable names them to the scripts between waves: JSON object of monitoring URLs by name. */
export function givenMonitors(variable: string): Monitor[] {
  const text = process.env[variable] ?? "{}";
  const urls = z.record(z.string(), z.url()).parse(JSON.parse(text));
  return Object.entries(urls).map(([name, url]) => ({ name, url, ...givenTrust() }));
}

/** CA: what the scripts between waves are told to trust, PEM. Not there without TLS. */
export function givenTrust(): Pick<Monitor, "ca"> {
  const ca = process.env.CA;
  return ca === undefined ? {} : { ca };
}

/** PATIENCE: what the scripts between waves are told where it was set, milliseconds. */
export function givenPatience(): number {
  const text = process.env.PATIENCE;
  return text === undefined ? PATIENCE_MS : z.coerce.number().positive().parse(text);
}
