import * as pulumi from "@pulumi/pulumi";
import { formatDuration } from "../../lib/base/quantities.ts";
import { howToSet, pulumiCommand } from "../../lib/base/settings-place.ts";
import { TLS_FILES } from "../../lib/nodes/nats-conf.ts";
import { CLIENT_TLS_FILES } from "../../lib/nodes/tls-blocks.ts";
import { type ClusterPlan, nodesOf } from "../../lib/plan/plan.ts";
import { settingsPlaceOf } from "../../lib/plan/settings.ts";
import type { KeyPair } from "../../live/jetstream/connection.ts";
import type {
  AuthorityArgs,
  CertificateArgs,
} from "../../providers/certificates/certificate-lifecycles.ts";
import { providerText } from "../dynamic.ts";
import type { EngineState } from "../preflight/inspect-engine.ts";
import type { ClientTexts } from "../preflight/read-client-files.ts";
import type { TlsTexts } from "../preflight/read-tls-files.ts";

/** The nodes' certificates, and the authorities that they trust. */
export interface Certificates {
  /** PEM of the authorities. */
  readonly ca: pulumi.Output<string>;
  /** The same, and the authorities of the settings that clients trust. */
  readonly clientAuthorities: pulumi.Output<string>;
  /** Files for each node's config volume: texts by file name, by node name. */
  readonly files: ReadonlyMap<string, NodeFiles>;
  /** What the stack itself shows to nodes that ask clients for a certificate; absent if they ask for none. */
  readonly ownPair?: pulumi.Output<KeyPair>;
}

/** What preflight has found of certificates. */
interface Found {
  /** The user's own certificates of nodes; absent for the stack's own. */
  readonly tlsTexts?: TlsTexts;
  readonly clientTexts: ClientTexts;
  readonly before: EngineState;
}

/** The certificates of nodes. */
type NodeCertificates = Pick<Certificates, "ca" | "files">;

export type NodeFiles = Readonly<Record<string, pulumi.Input<string>>>;

/**
 * Creates certificates by the stack's own authority, or passes on the user's.
 *
 * @returns undefined if nodes have no TLS.
 */
export function createCertificates(
  name: string,
  plan: ClusterPlan,
  { tlsTexts, clientTexts, before }: Found,
  parent: pulumi.Resource,
): Certificates | undefined {
  if (plan.tls === "none") return undefined;
  const own = tlsTexts ? passOn(tlsTexts) : certify(name, plan, before, parent);
  return withClients(own, plan, clientTexts);
}

/** Adds what nodes show to clients, and whose certificates they ask for: nodes' own, too, as the stack has no others. */
function withClients(
  { ca, files }: NodeCertificates,
  plan: ClusterPlan,
  { shown, asked }: ClientTexts,
): Certificates {
  const authorities =
    plan.tls === "stack" ? pulumi.interpolate`${ca}${withEnd(asked)}` : pulumi.output(asked ?? "");
  const filesFor = ([node, own]: readonly [string, NodeFiles]) => {
    const pair = shown?.nodes.find((each) => each.node === node);
    return [
      node,
      {
        ...own,
        ...(pair
          ? {
              [CLIENT_TLS_FILES.certificate]: pair.certificate,
              [CLIENT_TLS_FILES.key]: pulumi.secret(pair.key),
            }
          : {}),
        ...(asked === undefined ? {} : { [CLIENT_TLS_FILES.ca]: authorities }),
      },
    ] as const;
  };
  const first = files.get(nodesOf(plan)[0]?.name ?? "");
  return {
    ca,
    clientAuthorities: shown?.ca === undefined ? ca : pulumi.interpolate`${ca}${withEnd(shown.ca)}`,
    files: new Map([...files].map(filesFor)),
    ...(asked === undefined || !first ? {} : { ownPair: pairIn(first) }),
  };
}

function withEnd(pem = ""): string {
  return `${pem.trimEnd()}\n`;
}

function pairIn(files: NodeFiles): pulumi.Output<KeyPair> {
  const { [TLS_FILES.certificate]: certificate = "", [TLS_FILES.key]: key = "" } = files;
  const texts = pulumi.all([certificate, key]);
  return pulumi.secret(texts.apply(([certificate, key]) => ({ certificate, key })));
}

function passOn({ ca, nodes }: TlsTexts): NodeCertificates {
  const files = nodes.map(
    ({ node, certificate, key }) => [node, nodeFiles(ca, certificate, pulumi.secret(key))] as const,
  );
  return { ca: pulumi.output(ca), files: new Map(files) };
}

function nodeFiles(
  ca: pulumi.Input<string>,
  certificate: pulumi.Input<string>,
  key: pulumi.Output<string>,
): NodeFiles {
  return { [TLS_FILES.ca]: ca, [TLS_FILES.certificate]: certificate, [TLS_FILES.key]: key };
}

function certify(
  name: string,
  plan: ClusterPlan,
  before: EngineState,
  parent: pulumi.Resource,
): NodeCertificates {
  // The certificates exist in the state only, so nothing has to be deleted.
  const options = { parent, deletedWith: parent };
  const authority = new CertificateAuthority(
    `${name}-authority`,
    { name: plan.prefix },
    { ...options, hooks: { beforeCreate: [keepAuthority(`${name}-authority`, plan, before)] } },
  );
  const issuer = { name: plan.prefix, key: authority.key };
  const lifetime = formatDuration(plan.certificateLifetime);
  const files = nodesOf(plan).map((node) => {
    const { certificate, key } = new NodeCertificate(
      `${name}-${node.name}-certificate`,
      { node: node.name, names: node.certificateNames, lifetime, authority: issuer },
      options,
    );
    return [node.name, nodeFiles(authority.certificate, certificate, key)] as const;
  });
  return { ca: authority.certificate, files: new Map(files) };
}

/**
 * A hook that refuses to replace an authority which running nodes trust, as `--replace` asks for: in a rolling change,
 * nodes with the new authority and nodes with the old one would reject each other's certificates.
 */
function keepAuthority(
  authority: string,
  { rollout, identity }: ClusterPlan,
  { containers }: EngineState,
): pulumi.ResourceHook {
  const place = settingsPlaceOf(identity);
  const isInUse = [...containers.values()].some(({ settings }) => settings?.tls === "stack");
  return new pulumi.ResourceHook(
    `keep-${authority}`,
    ({ urn }) => {
      if (!isInUse || rollout === "all") return;
      throw new Error(
        `nodes trust the authority that there is, and with another one, changed one after the other, would no longer take each other's certificates. Keep it (where its replacement was asked for by \`pulumi state taint\`: ${pulumiCommand(place)} state untaint '${urn}'), or change all nodes at once, which is an outage of some seconds: ${howToSet(place, "rollout", "all")}`,
      );
    },
    { onDryRun: true },
  );
}

/** The stack's own authority. It is valid for ten years, is renewed in time, and keeps its key. */
class CertificateAuthority extends pulumi.CustomResource {
  declare readonly certificate: pulumi.Output<string>;
  declare readonly key: pulumi.Output<string>;

  constructor(name: string, args: AuthorityArgs, opts: pulumi.CustomResourceOptions) {
    super(
      "pulumi-nodejs:dynamic/tls:Authority",
      name,
      { ...args, ...ISSUED, __provider: AUTHORITY_PROVIDER },
      { ...opts, additionalSecretOutputs: ["key"] },
    );
  }
}

/** The certificate of one node. Each has its own resource, so that it changes independently of the others. */
class NodeCertificate extends pulumi.CustomResource {
  declare readonly certificate: pulumi.Output<string>;
  declare readonly key: pulumi.Output<string>;

  constructor(
    name: string,
    args: pulumi.Inputs & Record<keyof CertificateArgs, unknown>,
    opts: pulumi.CustomResourceOptions,
  ) {
    super(
      "pulumi-nodejs:dynamic/tls:Certificate",
      name,
      { ...args, ...ISSUED, __provider: CERTIFICATE_PROVIDER },
      { ...opts, additionalSecretOutputs: ["key"] },
    );
  }
}

/** Outputs, known after creation. */
const ISSUED = {
  validFrom: undefined,
  validUntil: undefined,
  certificate: undefined,
  key: undefined,
};

const AUTHORITY_PROVIDER = providerText("certificates", "authorityProvider");
const CERTIFICATE_PROVIDER = providerText("certificates", "certificateProvider");
