import * as pulumi from "@pulumi/pulumi";
import { PlanError } from "../lib/base/errors.ts";
import { type ExistingPlan, planExisting } from "../lib/existing/existing-plan.ts";
import { type ExistingSettings, parseExisting } from "../lib/existing/existing-settings.ts";
import { neededSubjects, permissionProblems } from "../lib/existing/permissions.ts";
import type { OthersConnection, Servers } from "../live/jetstream/connection.ts";
import { createRoster } from "./cluster-streams.ts";
import type { DeclaredStreams } from "./declared-streams.ts";
import {
  type ExistingAccess,
  type ExistingClusterArgs,
  existingSource,
  readAccess,
} from "./existing-args.ts";
import { knownValue } from "./known-value.ts";
import { loggerOf } from "./logger.ts";
import { isMocked } from "./mocked.ts";
import { type AskedCluster, askExisting, unaskedCluster } from "./preflight/ask-existing.ts";
import { streamPatience } from "./steps/script-patience.ts";
import type { MadeStreams } from "./stream-cluster.ts";
import type { StreamHost } from "./stream-host.ts";

/** A cluster that others run, after its streams are planned. */
export interface MadeExisting extends MadeStreams {
  /** A secret. */
  readonly connection: pulumi.Output<OthersConnection>;
}

/** What a program has declared. */
interface DeclaredExisting {
  /** Name of the cluster's resource. */
  readonly name: string;
  readonly args: ExistingClusterArgs;
  readonly streams: DeclaredStreams;
}

/**
 * Asks a cluster that others run, and plans its streams.
 *
 * @throws PlanError; pulumi.RunError
 */
export async function makeExisting(
  cluster: pulumi.ComponentResource & Pick<StreamHost, "jetStream">,
  { name, args, streams }: DeclaredExisting,
): Promise<MadeExisting> {
  // First, so that streams that are declared later are refused whatever happens below.
  const declared = streams.close();
  const { settingsIn = "program" } = args;
  const source = existingSource(args, declared);
  const settings = parseExisting(source.settings, settingsIn);
  const secrets = await knownValue(source.secrets);
  // In a preview, logins may come from resources that don't exist yet.
  const access = secrets && readAccess(secrets);
  const known =
    access && !isMocked()
      ? await askExisting(
          settings,
          connectionTo(settings, access, settings.account ?? ""),
          access.system,
        )
      : unaskedCluster(settings);
  const plan = planExisting(settings, known);
  refuseForbidden(settings, known, plan);
  const log = loggerOf(settingsIn === "program" ? cluster : undefined);
  for (const gap of known.gaps) log.warn(gap);
  for (const notice of plan.notices) log.info(notice);
  const account = plan.accounts[0]?.name ?? "";
  const connection = pulumi.secret(
    source.secrets.apply((given) => connectionTo(settings, readAccess(given), account)),
  );
  const checked = connection.apply(() => undefined);
  const isMade = streams.madeKeys;
  const stageOf = createRoster(
    `${name}-streams`,
    { ...plan, streams: plan.streams.filter(({ key }) => isMade.has(key)) },
    [],
    { checked: pulumi.unsecret(checked) },
    cluster.jetStream,
    cluster,
  );
  return { connection, streams: plan.streams, stageOf };
}

function connectionTo(
  settings: ExistingSettings,
  { login, others, ca, pair }: ExistingAccess,
  account: string,
): OthersConnection {
  const trust = { names: settings.hosts, byHost: true as const };
  const servers: Servers = {
    urls: settings.servers,
    ...(settings.hasTls
      ? { tls: { ...trust, ...(ca === undefined ? {} : { ca }), ...(pair ? { pair } : {}) } }
      : {}),
  };
  return {
    ...servers,
    logins: { [account]: login, ...others },
    account,
    ...(settings.apiPrefix === undefined ? {} : { apiPrefix: settings.apiPrefix }),
    ...streamPatience(settings),
  };
}

/** Refuses a plan whose logins may not do what it takes. @throws PlanError */
function refuseForbidden(
  { apiPrefix }: ExistingSettings,
  { accounts }: AskedCluster,
  { streams }: ExistingPlan,
): void {
  const problems = accounts.flatMap(({ name, setting, permissions }) => {
    if (!permissions) return [];
    const own = streams.filter(({ account }) => account === name);
    return permissionProblems(setting, permissions, neededSubjects(own, apiPrefix));
  });
  if (problems.length > 0) throw new PlanError(problems);
}
