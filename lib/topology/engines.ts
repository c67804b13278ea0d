/** The Docker engines that regions or zones are on, each on a machine of its own. */
import { z } from "zod";
import {
  addressSchema,
  canonicalName,
  isAddress,
  isEverywhere,
  isHost,
  isIpv6,
  isLinkLocal,
  isLocalName,
  isLoopback,
  mappedFault,
  mappedIpv4,
  withoutBrackets,
} from "../base/addresses.ts";
import type { Problem } from "../base/errors.ts";
import { listSome, quoteValue } from "../base/wording.ts";

/** A region's or zone's engine. */
export interface EnginePlan {
  /** The region or zone, e.g. `rg1` or `rg2-az1`. */
  readonly key: string;
  /** As `docker -H` takes it, e.g. `ssh://nats@10.0.1.5`; or the name of a docker context. */
  readonly host: string;
  /** By which other nodes and clients reach its machine: an IP address or a host name. */
  readonly address: string;
  /** IP address of that machine on which ports are published: `0.0.0.0` is all of IPv4, `::` all of IPv6. */
  readonly bindAddress: string;
  /** Options of ssh, each `Name=value`. */
  readonly ssh: readonly string[];
  /** Folder with `ca.pem`, `cert.pem` and `key.pem`, for `tcp://…`. The key itself is never in the settings or the state. */
  readonly certPath?: string;
}

/** The setting for one engine. */
export type EngineSettings = z.output<typeof engineSchema>;

/** The forms of a host; anything else is the name of a docker context. */
const URL_HOST = /^(ssh|tcp|unix|npipe):\/\//;
const CONTEXT = /^[A-Za-z0-9][\w.-]*$/;
const WITH_PASSWORD = /^[a-z]+:\/\/[^/@]*:[^/@]*@/;

/** A password would be in the stack's state, and `docker` takes none. */
function isEngineHost(host: string): boolean {
  if (WITH_PASSWORD.test(host)) return false;
  if (!URL_HOST.test(host)) return CONTEXT.test(host);
  return URL.canParse(host) && (isOfFile(host) || hostNameOf(host) !== "");
}

/** The same host in one spelling: an IPv6 address has several. */
function canonicalHost(host: string): string {
  return host.replace(/\[([^\]]+)\]/, (_, address) => `[${canonicalName(address)}]`);
}

function isOfFile(host: string): boolean {
  return /^(unix|npipe):/.test(host);
}

/** Whether a host is reached by tcp. */
export function isTcp(host: string): boolean {
  return host.startsWith("tcp://");
}

/** Whether docker's API at a host is open to nobody but this machine, though it asks for no certificate. */
export function isOfThisMachine(host: string): boolean {
  const name = hostNameOf(host);
  return isLoopback(name) || isLocalName(name);
}

function describeHost(host: unknown): string {
  if (typeof host === "string" && WITH_PASSWORD.test(host)) {
    return "a host has no password; let ssh log in with a key";
  }
  return `${quoteValue(host)} is neither a URL, e.g. ssh://nats@10.0.1.5, nor a docker context`;
}

const engineSchema = z
  .strictObject({
    host: z
      .string()
      .refine(isEngineHost, { error: ({ input }) => describeHost(input) })
      .transform(canonicalHost)
      .describe(
        "Where the engine is: `ssh://user@host`, `tcp://…`, `unix://…`, or a docker context.",
      ),
    address: z
      .string()
      .refine(isHost, {
        error: ({ input }) => `${quoteValue(input)} is neither an IP address nor a host name`,
      })
      .refine((address) => mappedIpv4(address) === undefined, {
        error: ({ input }) => mappedFault(`${input}`),
      })
      .transform(canonicalName)
      .optional()
      .describe("By which other nodes and clients reach the machine. Default: the host's."),
    bindAddress: addressSchema
      .optional()
      .describe(
        "IP address of the machine that ports are published on. Default: all of the kind of `address`.",
      ),
    ssh: z
      .array(
        z.string().regex(/^[A-Za-z]+=\S.*$/, {
          error: ({ input }) => `${quoteValue(input)} is no option of ssh as Name=value`,
        }),
      )
      .optional()
      .describe("Options of ssh, e.g. `IdentityFile=~/.ssh/rg1`."),
    certPath: z
      .string()
      .regex(/^(?!-----)[^\n]+$/, {
        // Without the value: it may be the key itself.
        error: "not the path of a folder",
      })
      .optional()
      .describe("Folder with ca.pem, cert.pem and key.pem for `tcp://…`, as in DOCKER_CERT_PATH."),
  })
  .meta({ title: "EngineSettings", description: "The Docker engine of a region or zone." });

export const enginesSchema = z.record(z.string(), engineSchema);

/** A place that has an engine. */
interface Place {
  readonly name: string;
  readonly region: string;
  readonly zone: string;
}

/** The engines of a cluster's places. */
export class EngineMap {
  readonly #engines: ReadonlyMap<string, EnginePlan>;

  constructor(settings: Readonly<Record<string, EngineSettings>>) {
    // Pulumi hands maps to programs with their keys in this order (3.259).
    const sorted = Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1));
    const plans = sorted.map(([key, engine]) => toPlan(key, engine));
    this.#engines = new Map(plans.map((plan) => [plan.key, plan]));
  }

  /**
   * The engine of a place: its zone's, or else its region's. Several keys with one host are one engine, which has the
   * first one's key. Undefined if the setting names none.
   */
  find({ region, zone }: Pick<Place, "region" | "zone">): EnginePlan | undefined {
    const found = this.#engines.get(`${region}-${zone}`) ?? this.#engines.get(region);
    return found && this.#plans.find(({ host }) => host === found.host);
  }

  /** By key; several keys with one host are one engine. */
  get all(): readonly EnginePlan[] {
    return this.#plans.filter(
      ({ host }, index) => this.#plans.findIndex((other) => other.host === host) === index,
    );
  }

  /** Whether machines are reached by IPv6, so that containers have to have it. */
  get hasIpv6(): boolean {
    return this.#plans.some(({ bindAddress }) => isIpv6(bindAddress));
  }

  get #plans(): readonly EnginePlan[] {
    return [...this.#engines.values()];
  }

  /** Reports engines that can't be used as they are set. */
  problems(places: readonly Place[]): Problem[] {
    if (this.#engines.size === 0) return [];
    const known = new Set(places.flatMap(({ region, zone }) => [region, `${region}-${zone}`]));
    const homeless = places.filter((place) => this.find(place) === undefined);
    return [
      ...this.#plans.flatMap((engine) => [
        ...(known.has(engine.key) ? [] : [unknownKey(engine, places)]),
        ...addressProblems(engine),
        ...unusedOptions(engine),
        ...certificateProblems(engine),
      ]),
      ...clashes(this.#plans),
      ...(homeless.length === 0
        ? []
        : [
            {
              path: "engines",
              message: `no engine for ${listSome(homeless.map(({ name }) => name))}`,
              fix: "name one for each region, or for none",
            },
          ]),
    ];
  }
}

function toPlan(
  key: string,
  { host, address, bindAddress, ssh = [], certPath }: EngineSettings,
): EnginePlan {
  const reached = address ?? hostNameOf(host);
  return {
    key,
    host,
    address: reached,
    bindAddress: bindAddress ?? (isIpv6(reached) ? "::" : "0.0.0.0"),
    ssh,
    ...(certPath === undefined ? {} : { certPath }),
  };
}

/** Empty if the host doesn't say. */
function hostNameOf(host: string): string {
  if (!URL_HOST.test(host) || isOfFile(host)) return "";
  return withoutBrackets(new URL(host).hostname);
}

function unknownKey({ key }: EnginePlan, places: readonly Place[]): Problem {
  const regions = [...new Set(places.map(({ region }) => region))];
  return {
    path: `engines.${key}`,
    message: "is neither a region nor a zone of one",
    fix: `use ${listSome(regions)}, or e.g. ${places[0]?.region}-${places[0]?.zone}`,
  };
}

function addressProblems({ key, host, address, bindAddress }: EnginePlan): Problem[] {
  const path = `engines.${key}.address`;
  if (address === "") {
    const fix = "set the address by which other nodes and clients reach its machine";
    return [{ path, message: `${host} doesn't say where its machine is`, fix }];
  }
  const isNoWay = [address, bindAddress].find((each) => isLoopback(each) || isLocalName(each));
  if (isNoWay !== undefined || isEverywhere(address) || isLinkLocal(address)) {
    const message = `${isNoWay ?? address} can't be reached from the other machines`;
    return [{ path, message, fix: "set an address of the machine's network" }];
  }
  if (isAddress(address) && isIpv6(address) !== isIpv6(bindAddress)) {
    const message = `ports on ${bindAddress} aren't reached at ${address}`;
    const fix = "leave it out, or set an address of the same kind";
    return [{ path: `engines.${key}.bindAddress`, message, fix }];
  }
  return [];
}

/** Only `docker` with a URL is told of options; the ssh of a context has its own. */
function unusedOptions({ key, host, ssh }: EnginePlan): Problem[] {
  if (ssh.length === 0 || host.startsWith("ssh:")) return [];
  const message = `not used with ${host}`;
  return [
    { path: `engines.${key}.ssh`, message, fix: "use host: ssh://…, or set them in ~/.ssh/config" },
  ];
}

/**
 * Whoever reaches an engine's port without a certificate is root on its machine. Docker's CLI takes a port that isn't
 * given for 2375 or 2376, and Pulumi's Docker provider (5.2) takes it for none.
 */
function certificateProblems({ key, host, certPath }: EnginePlan): Problem[] {
  if (!isTcp(host)) {
    if (certPath === undefined) return [];
    const message = `not used with ${host}`;
    return [{ path: `engines.${key}.certPath`, message, fix: "use it with host: tcp://… alone" }];
  }
  const path = `engines.${key}.host`;
  if (!/:\d+\/?$/.test(host)) {
    return [{ path, message: `${host} has no port`, fix: `say it, e.g. tcp://10.0.1.5:2376` }];
  }
  if (certPath !== undefined || isOfThisMachine(host)) return [];
  const message = `${host} without certificates makes everybody root who reaches it`;
  return [{ path, message, fix: "have it ask for certificates, and set certPath; or use ssh://…" }];
}

/** An engine is one machine, and is reached in one way. */
function clashes(engines: readonly EnginePlan[]): Problem[] {
  return engines.flatMap((engine, index) => {
    const other = engines.slice(0, index).find(({ host }) => host === engine.host);
    if (!other) return [];
    return CLASHING.filter((field) => `${engine[field] ?? ""}` !== `${other[field] ?? ""}`).map(
      (field) => ({
        path: `engines.${engine.key}.${field}`,
        message: `${engine.host} has ${other[field]?.toString() || "none"} for ${other.key} already`,
        fix: `give both the same ${field}`,
      }),
    );
  });
}

const CLASHING = ["address", "bindAddress", "ssh", "certPath"] as const;
