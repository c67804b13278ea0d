import { isDeepStrictEqual } from "node:util";
import type {
  CheckResult,
  DiffResult,
  ReadResult,
  UpdateResult,
} from "@pulumi/pulumi/dynamic/index.js";
import {
  AUTHORITY_LIFETIME,
  describeExpiry,
  isAuthorityDue,
  isDue,
  type Validity,
  validityFrom,
} from "../lib/certificate-rules.ts";
import { parseDuration } from "../lib/quantities.ts";
import { UNKNOWN } from "./engine.ts";
import { type Issuer, issueAuthority, issueCertificate, type KeyedCertificate } from "./issue.ts";

/** What the program passes for an authority. */
export interface AuthorityArgs {
  /** As its certificate shows it. */
  readonly name: string;
}

/** What the program passes for a node's certificate. */
export interface CertificateArgs {
  readonly node: string;
  /** Host names and addresses. */
  readonly names: readonly string[];
  /** E.g. `365d`. */
  readonly lifetime: string;
  readonly authority: Issuer;
}

/** `check` adds from when to when it holds: so a preview shows what is to be renewed. */
export type Checked<Args> = Args & Validity;

export type Issued<Args> = Checked<Args> & KeyedCertificate;

/** The methods of a Pulumi dynamic provider, typed; see `ResourceProvider` in @pulumi/pulumi/dynamic. */
export interface IssuerLifecycle<Args> {
  check(olds: Partial<Checked<Args>>, news: Args): Promise<CheckResult>;
  diff(id: string, olds: Issued<Args>, news: Checked<Args>): Promise<DiffResult>;
  create(inputs: Checked<Args>): Promise<{ readonly id: string; readonly outs: Issued<Args> }>;
  read(id: string, props: Issued<Args>): Promise<ReadResult>;
  update(id: string, olds: Issued<Args>, news: Checked<Args>): Promise<UpdateResult>;
  delete(): Promise<void>;
}

/** Milliseconds since 1970. */
type Clock = () => number;

/** Run in the dynamic provider's process; components/certificates.ts loads them by these names. */
export const authorityProvider = authorityLifecycle(Date.now);
export const certificateProvider = certificateLifecycle(Date.now);

/** The lifecycle of an authority. Its key stays for good: what it signed is good whatever its certificate is. */
export function authorityLifecycle(clock: Clock): IssuerLifecycle<AuthorityArgs> {
  return lifecycle<AuthorityArgs>({
    id: ({ name }) => name,
    essence: ({ name, validFrom, validUntil }) => [name, validFrom, validUntil],
    validity: (olds) => {
      const now = clock();
      return isHeld(olds) && !isAuthorityDue(olds.validUntil, now)
        ? olds
        : validityFrom(now, AUTHORITY_LIFETIME);
    },
    issue: ({ name, ...validity }, olds) => issueAuthority(name, validity, olds?.key),
  });
}

/** The lifecycle of a node's certificate: made anew, with a new key, when it says other things or is due. */
export function certificateLifecycle(
  clock: Clock,
  say: (line: string) => void = console.error,
): IssuerLifecycle<CertificateArgs> {
  return lifecycle<CertificateArgs>({
    id: ({ node }) => node,
    essence: ({ validFrom, validUntil, ...args }, olds) => [
      essenceOf(args, olds),
      validFrom,
      validUntil,
    ],
    validity: (olds, news) => {
      const now = clock();
      const lifetime = parseDuration(news.lifetime) / 1e6;
      if (isHeld(olds) && isDeepStrictEqual(essenceOf(olds), essenceOf(news, olds))) {
        if (!isDue(olds.validUntil, lifetime, now)) return olds;
        // Where it is good, the node itself says when that ends; see components/announce-changes.ts.
        const isOver = Date.parse(olds.validUntil) <= now;
        if (isOver) {
          say(
            `the certificate of ${news.node} ${describeExpiry(olds.validUntil, now)}; this up renews it`,
          );
        }
      }
      return validityFrom(now, lifetime);
    },
    issue: ({ node, names, authority, ...validity }) =>
      issueCertificate(node, names, validity, authority),
  });
}

function isHeld<Args>(olds: Partial<Checked<Args>>): olds is Checked<Args> {
  return olds.validFrom !== undefined && olds.validUntil !== undefined;
}

/**
 * All that a certificate says beside its validity, names in whatever order; neither the provider's text nor what the
 * SDK adds. A preview doesn't know the key of an authority that is renewed, but it stays that of `olds`.
 */
function essenceOf(
  { node, names, lifetime, authority: { name, key } }: CertificateArgs,
  olds?: CertificateArgs,
) {
  const keptKey = key === UNKNOWN ? olds?.authority.key : key;
  return { node, names: names.toSorted(), lifetime, authority: { name, key: keptKey } };
}

interface Rules<Args> {
  id(args: Args): string;
  /** What makes another certificate necessary where it is another than that of `olds`. */
  essence(inputs: Checked<Args>, olds?: Checked<Args>): unknown;
  validity(olds: Partial<Checked<Args>>, news: Args): Validity;
  issue(inputs: Checked<Args>, olds?: Issued<Args>): Promise<KeyedCertificate>;
}

function lifecycle<Args extends object>(rules: Rules<Args>): IssuerLifecycle<Args> {
  const issue = async (inputs: Checked<Args>, olds?: Issued<Args>): Promise<Issued<Args>> => ({
    ...inputs,
    ...(await rules.issue(inputs, olds)),
  });
  return {
    async check(olds, news) {
      const { validFrom, validUntil } = rules.validity(olds, news);
      return { inputs: { ...news, validFrom, validUntil } };
    },
    async diff(_id, olds, news) {
      return { changes: !isDeepStrictEqual(rules.essence(olds), rules.essence(news, olds)) };
    },
    create: async (inputs) => ({ id: rules.id(inputs), outs: await issue(inputs) }),
    read: async (id, props) => ({ id, props }),
    update: async (_id, olds, news) => ({ outs: await issue(news, olds) }),
    delete: async () => undefined,
  };
}
