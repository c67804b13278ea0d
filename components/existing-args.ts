import * as pulumi from "@pulumi/pulumi";
import { PASSWORD_PLACEHOLDER } from "../lib/accounts/hidden-passwords.ts";
import { PlanError } from "../lib/base/errors.ts";
import { isMap, withoutUndefined } from "../lib/base/records.ts";
import type { SettingsPlace } from "../lib/base/settings-place.ts";
import { type Login, type LoginPart, readLogin } from "../lib/existing/logins.ts";
import type { KeyPair } from "../live/jetstream/connection.ts";
import type { BucketSettingsArgs, ObjectStoreSettingsArgs, StreamSettingsArgs } from "./args.ts";
import { type DeclaredSettings, withDeclared } from "./cluster-args.ts";

/** A login: user and password, or one of token, seed and creds. Without any, the servers have to let in whoever comes. */
export interface LoginArgs {
  /** Name of a user with a password. */
  readonly user?: pulumi.Input<string> | undefined;
  /** Its password; a secret. */
  readonly password?: pulumi.Input<string> | undefined;
  /** A token; a secret. */
  readonly token?: pulumi.Input<string> | undefined;
  /** The seed of a user's nkey, `SU…`; a secret. */
  readonly seed?: pulumi.Input<string> | undefined;
  /** The text of a creds file, with a user's JWT and its seed; a secret. */
  readonly creds?: pulumi.Input<string> | undefined;
}

/** How servers with TLS are verified, and what they are shown. */
export interface ExistingTlsArgs {
  /** PEM of the authorities that certify the servers. @default the system's authorities */
  readonly ca?: pulumi.Input<string> | undefined;
  /** PEM of a certificate to show to servers that ask for one. @default none */
  readonly certificate?: pulumi.Input<string> | undefined;
  /** PEM of its key; a secret. */
  readonly key?: pulumi.Input<string> | undefined;
}

/** The servers of a cluster, where they aren't asked for. */
export interface TopologyArgs {
  /** `jetstream.unique_tag` of the servers. @default none */
  readonly uniqueTag?: string | undefined;
  /** The servers with JetStream: their names, their tags, and their cluster if that isn't the one of `servers`. */
  readonly servers: readonly {
    readonly name: string;
    readonly cluster?: string | undefined;
    readonly tags?: readonly string[] | undefined;
  }[];
}

/** How a cluster that others run is reached, and what there is to be in it. */
export interface ExistingClusterArgs {
  /** URLs of some of its servers, `nats://` or `tls://`, all of one NATS cluster. One that answers is enough. */
  readonly servers: readonly string[];
  /** The login to the account of the streams that name none. @default none, for servers that let in whoever comes */
  readonly login?: LoginArgs | undefined;
  /** What that account is called here. @default what the servers call it */
  readonly account?: string | undefined;
  /** Further accounts with streams, and the login to each. @default none */
  readonly accounts?:
    | Readonly<Record<string, { readonly login?: LoginArgs | undefined }>>
    | undefined;
  /** How servers with TLS are verified. @default the system's authorities, for `tls://` */
  readonly tls?: ExistingTlsArgs | undefined;
  /** JetStream's domain, if it isn't that of the servers, e.g. `hub`. */
  readonly domain?: string | undefined;
  /** Prefix of the subjects of JetStream's API, e.g. where an account imports it. @default "$JS.API", or that of `domain` */
  readonly apiPrefix?: string | undefined;
  /** A login to the system account, by which the servers are asked for their names, clusters, tags and versions. */
  readonly systemLogin?: LoginArgs | undefined;
  /** The servers, without a `systemLogin`; with one, those that may be down. */
  readonly topology?: TopologyArgs | undefined;
  /** Prefix of the tags that tell a server's region, for `placement.region`, `across` and `leader`. @default "rg:" */
  readonly regionTag?: string | undefined;
  /** Prefix of the tags that tell its zone. @default "az:" */
  readonly zoneTag?: string | undefined;
  /** Its streams by name; others stay as they are. @default none */
  readonly streams?: Readonly<Record<string, StreamSettingsArgs>> | undefined;
  /** Its key-value buckets by name. @default none */
  readonly buckets?: Readonly<Record<string, BucketSettingsArgs>> | undefined;
  /** Its object stores by name. @default none */
  readonly objectStores?: Readonly<Record<string, ObjectStoreSettingsArgs>> | undefined;
  /** How long a stream that changes may make no progress: `1m`, or more. @default "2m" */
  readonly patience?: string | undefined;
  /** As in a cluster of one's own. @default "program" */
  readonly settingsIn?: SettingsPlace | undefined;
  /** As in a cluster of one's own. @default false */
  readonly goesByPlan?: boolean | undefined;
}

type Texts = Readonly<Partial<Record<string, unknown>>>;

/** What is kept out of settings and plans. */
export interface ExistingSecrets {
  readonly login: Texts;
  readonly accounts: Readonly<Record<string, Texts>>;
  readonly systemLogin?: Texts | undefined;
  readonly tls: Texts;
}

/** The input of planning, and the secrets, which no plan contains. */
export interface ExistingSource {
  /** Settings as users write them; in the place of each secret, a placeholder. */
  readonly settings: unknown;
  readonly secrets: pulumi.Output<ExistingSecrets>;
}

/**
 * Separates the settings from their secrets.
 *
 * @param declared streams, buckets and object stores of the args, and those that were declared separately, by name.
 */
export function existingSource(
  { settingsIn: _settingsIn, goesByPlan: _goesByPlan, ...args }: ExistingClusterArgs,
  declared: DeclaredSettings,
): ExistingSource {
  const { login, accounts, systemLogin, tls } = args;
  // The config may hold any value here; planning checks it.
  const hiddenAccounts = isMap(accounts)
    ? mapValues(accounts, (each) =>
        isMap(each) ? { ...each, ...("login" in each ? { login: hidden(each.login) } : {}) } : each,
      )
    : accounts;
  return {
    settings: withoutUndefined({
      ...args,
      ...withDeclared(args, declared),
      login: hidden(login),
      accounts: hiddenAccounts,
      systemLogin: hidden(systemLogin),
      tls: hidden(tls),
    }),
    secrets: pulumi.secret(
      pulumi.output({
        login: inputsOf(login),
        accounts: isMap(accounts)
          ? mapValues(accounts, (each) => inputsOf(isMap(each) ? each.login : undefined))
          : {},
        ...(systemLogin === undefined ? {} : { systemLogin: inputsOf(systemLogin) }),
        tls: inputsOf(tls),
      }),
    ),
  };
}

/** A map of inputs with a placeholder for each. What is no map may be a secret in the wrong place. */
function hidden(given: unknown): unknown {
  if (given === undefined) return undefined;
  if (!isMap(given)) return PASSWORD_PLACEHOLDER;
  return mapValues(given, (part) => (part === undefined ? undefined : PASSWORD_PLACEHOLDER));
}

function inputsOf(given: unknown): pulumi.Inputs {
  return isMap(given) ? given : {};
}

function mapValues<Value, Result>(
  map: Readonly<Record<string, Value>>,
  change: (value: Value) => Result,
): Readonly<Record<string, Result>> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
}

/** The logins, and what it takes to trust servers. */
export interface ExistingAccess {
  readonly login: Login;
  /** Of the other accounts, by name. */
  readonly others: Readonly<Record<string, Login>>;
  readonly system?: Login;
  /** PEM of authorities. */
  readonly ca?: string;
  readonly pair?: KeyPair;
}

/** Reads the secrets of settings that were parsed. @throws PlanError with all problems, none of which quotes a secret. */
export function readAccess({ login, accounts, systemLogin, tls }: ExistingSecrets): ExistingAccess {
  const first = readLogin("login", partsOf(login));
  const others = Object.entries(accounts).map(
    ([name, texts]) => [name, readLogin(`accounts.${name}.login`, partsOf(texts))] as const,
  );
  const system = systemLogin && readLogin("systemLogin", partsOf(systemLogin));
  const read = [first, ...others.map(([, each]) => each), ...(system ? [system] : [])];
  const problems = [
    ...read.flatMap((each) => ("problems" in each ? each.problems : [])),
    ...pemProblems(tls),
  ];
  if (problems.length > 0 || "problems" in first) throw new PlanError(problems);
  const { ca, certificate, key } = tls;
  return {
    login: first.login,
    others: Object.fromEntries(
      others.flatMap(([name, each]) => ("login" in each ? [[name, each.login] as const] : [])),
    ),
    ...(system && "login" in system ? { system: system.login } : {}),
    ...(typeof ca === "string" ? { ca } : {}),
    ...(typeof certificate === "string" && typeof key === "string"
      ? { pair: { certificate, key } }
      : {}),
  };
}

function partsOf(texts: Texts): Readonly<Partial<Record<LoginPart, unknown>>> {
  return texts;
}

const PEM = /-----BEGIN [A-Z0-9 ]+-----\s/;

function pemProblems(tls: Texts) {
  return Object.entries(tls).flatMap(([name, text]) =>
    typeof text === "string" && PEM.test(text)
      ? []
      : [{ path: `tls.${name}`, message: "is not PEM", fix: "give the text, not a file's name" }],
  );
}
