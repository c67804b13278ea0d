import { isDeepStrictEqual } from "node:util";
import type {
  CheckResult,
  DiffResult,
  ReadResult,
  UpdateResult,
} from "@pulumi/pulumi/dynamic/index.js";
import { parseDuration } from "../../lib/base/quantities.ts";
import {
  AUTHORITY_LIFETIME,
  describeExpiry,
  isAuthorityDue,
  isDue,
  type Validity,
  validityFrom,
} from "../../lib/tls/certificate-rules.ts";
import { UNKNOWN } from "../process/unknown.ts";
import {
  type Issuer,
  issueAuthority,
  issueCertificate,
  type KeyedCertificate,
} from "./issue-certificates.ts";

/** What the program passes for an authority. */
export interface AuthorityArgs {
  /** Common name of its certificate. */
  readonly name: string;
}

/** What the program passes for a node's certificate. */
export interface CertificateArgs {
  readonly node: string;
  /** Host names and addresses. */
  readonly names: readonly string[];
  /** How long the certificate is valid, e.g. `365d`. */
  readonly lifetime: string;
  readonly authority: Issuer;
}

/**
 * The validity is an output and not an input: an `up` with a saved plan has to use the inputs of the preview exactly.
 */
export type Issued<Args> = Args & Validity & KeyedCertificate;

/** The methods of a Pulumi dynamic provider, typed; see `ResourceProvider` in @pulumi/pulumi/dynamic. */
export interface IssuerLifecycle<Args> {
  check(olds: unknown, news: Args): Promise<CheckResult>;
  diff(id: string, olds: Issued<Args>, news: Args): Promise<DiffResult>;
  create(inputs: Args): Promise<{ readonly id: string; readonly outs: Issued<Args> }>;
  read(id: string, props: Issued<Args>): Promise<ReadResult>;
  update(id: string, olds: Issued<Args>, news: Args): Promise<UpdateResult>;
  delete(): Promise<void>;
}

/** Milliseconds since 1970. */
type Clock = () => number;

/** Used by the dynamic provider's process; components/parts/node-certificates.ts refers to these names. */
export const authorityProvider = authorityLifecycle(Date.now);
export const certificateProvider = certificateLifecycle(Date.now);

/**
 * The lifecycle of an authority. It keeps its key for good, so that a renewal doesn't invalidate what the key signed.
 */
export function authorityLifecycle(clock: Clock): IssuerLifecycle<AuthorityArgs> {
  return lifecycle<AuthorityArgs>({
    id: ({ name }) => name,
    essence: ({ name }) => name,
    isDue: ({ validUntil }) => isAuthorityDue(validUntil, clock()),
    validity: () => validityFrom(clock(), AUTHORITY_LIFETIME),
    issue: ({ name }, validity, olds) => issueAuthority(name, validity, olds?.key),
  });
}

/**
 * The lifecycle of a node's certificate: issued again, with a new key, if its contents change or it is due for renewal.
 */
export function certificateLifecycle(
  clock: Clock,
  say: (line: string) => void = console.error,
): IssuerLifecycle<CertificateArgs> {
  return lifecycle<CertificateArgs>({
    id: ({ node }) => node,
    essence: essenceOf,
    isDue: ({ node, lifetime, validUntil }) => {
      const now = clock();
      // While the certificate is valid, announce-changes.ts reports the expiry that the node itself shows.
      if (Date.parse(validUntil) <= now) {
        say(`the certificate of ${node} ${describeExpiry(validUntil, now)}; this up renews it`);
      }
      return isDue(validUntil, millisecondsOf(lifetime), now);
    },
    validity: ({ lifetime }) => validityFrom(clock(), millisecondsOf(lifetime)),
    issue: ({ node, names, authority }, validity) =>
      issueCertificate(node, names, validity, authority),
  });
}

function millisecondsOf(lifetime: string): number {
  return parseDuration(lifetime) / 1e6;
}

/**
 * What a certificate contains besides its validity, names sorted, without the provider's text and the SDK's own inputs.
 * If the key is unknown, as in a preview that renews the authority, it is that of `olds`: authorities keep their key.
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
  /** The contents; a new certificate is issued if they differ from those of `olds`. */
  essence(inputs: Args, olds?: Args): unknown;
  /** Whether a certificate with unchanged contents is to be renewed. */
  isDue(olds: Issued<Args>): boolean;
  validity(inputs: Args): Validity;
  issue(inputs: Args, validity: Validity, olds?: Issued<Args>): Promise<KeyedCertificate>;
}

function lifecycle<Args extends object>(rules: Rules<Args>): IssuerLifecycle<Args> {
  const issue = async (inputs: Args, olds?: Issued<Args>): Promise<Issued<Args>> => {
    const validity = rules.validity(inputs);
    return { ...inputs, ...validity, ...(await rules.issue(inputs, validity, olds)) };
  };
  return {
    check: async (_olds, inputs) => ({ inputs }),
    async diff(_id, olds, news) {
      const isOther = !isDeepStrictEqual(rules.essence(olds), rules.essence(news, olds));
      return { changes: isOther || rules.isDue(olds) };
    },
    create: async (inputs) => ({ id: rules.id(inputs), outs: await issue(inputs) }),
    read: async (id, props) => ({ id, props }),
    update: async (_id, olds, news) => ({ outs: await issue(news, olds) }),
    delete: async () => undefined,
  };
}
