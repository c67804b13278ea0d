import * as pulumi from "@pulumi/pulumi";
import { fingerprint } from "../../lib/accounts/credentials.ts";
import { closeUnused } from "../../live/jetstream/clients.ts";
import type { ClusterSource } from "../cluster-args.ts";
import type { PlannedCluster } from "../cluster-plan.ts";
import { knownValue } from "../known-value.ts";
import { type Announcement, announceChanges } from "./announce-changes.ts";
import { announceDepartures } from "./announce-departures.ts";
import { announceImage } from "./announce-image.ts";
import { compareClocks } from "./engine-clocks.ts";
import { refuseUnmade } from "./engine-refusals.ts";
import { warnOfSilence } from "./engine-warnings.ts";
import { type EngineState, inspectEngines } from "./inspect-engine.ts";
import { announceLoss, type LostNodes, refuseRestarts } from "./lost-nodes.ts";
import { observerOf } from "./observer.ts";
import { type ClientTexts, readClientFiles } from "./read-client-files.ts";
import { readTlsFiles, type TlsTexts } from "./read-tls-files.ts";
import { refuseShortages } from "./refuse-shortages.ts";
import { warnOfNames } from "./warn-of-names.ts";

/** The state of the running stack before the update, and what the update does to it. */
export interface Preflight extends Announcement {
  readonly before: EngineState;
  /** The user's own certificates, if the settings name any. */
  readonly tlsTexts?: TlsTexts;
  /** Certificates for clients, and the authorities of clients, if the settings name any. */
  readonly clientTexts: ClientTexts;
  /** Nodes whose machines are lost for good; absent unless the settings name any. */
  readonly lostNodes?: LostNodes;
  /** Identifies the settings: the same in a saved plan and in the `up` that uses it. */
  readonly planMark?: string;
}

/**
 * Inspects the engines and the nodes, logs what is going to happen to them, and refuses what would lose messages or what
 * the servers would refuse.
 *
 * @param source what to derive the plan mark from; undefined if no plan is saved or used.
 * @throws PlanError; pulumi.RunError, which is shown without a stack trace.
 */
export async function runPreflight(
  planned: PlannedCluster,
  source: ClusterSource | undefined,
): Promise<Preflight> {
  const { plan, answering, ownership, accounts, access, login, log } = planned;
  for (const notice of plan.notices) log.info(notice);
  const [found] = await Promise.all([
    inspectEngines(answering, plan, ownership, log, planned.recorded),
    compareClocks(answering, plan, log),
  ]);
  refuseUnmade(planned, plan, found.containers.size === 0);
  const before = {
    ...found,
    silent: warnOfSilence(plan, planned, log),
    login,
  };
  const tlsTexts = readTlsFiles(plan, before, log);
  const clientTexts = readClientFiles(plan, tlsTexts, log);
  const observe = observerOf(plan, before);
  const looks = Promise.all([
    announceLoss(planned, before, observe),
    announceChanges(plan, accounts, before, { tlsTexts, clientTexts }, observe, log),
    announceImage(plan, before, observe, log),
    announceDepartures(plan, before, log),
    refuseShortages(plan, before, observe),
    warnOfNames(plan, log),
  ]);
  const [lostNodes, announcement] = await looks.finally(closeUnused);
  if (lostNodes) refuseRestarts(lostNodes, announcement.restarts, plan);
  return {
    ...announcement,
    before,
    ...(lostNodes ? { lostNodes } : {}),
    ...(tlsTexts ? { tlsTexts } : {}),
    clientTexts,
    ...(source
      ? {
          planMark: await markOf(source, access, [
            tlsTexts,
            before.tls,
            ...Object.values(clientTexts),
          ]),
        }
      : {}),
  };
}

/** @param files certificates; some of the resources' secret inputs come from them. */
async function markOf(
  { settings, passwords }: ClusterSource,
  access: PlannedCluster["access"],
  files: unknown,
): Promise<string> {
  const secrets = await knownValue(pulumi.all([access, passwords]));
  if (!secrets) {
    throw new pulumi.RunError(
      "No plan can be saved while passwords are yet to be made: run `pulumi up` without one first.",
    );
  }
  const [{ managerKey }, known] = secrets;
  return `settings-${fingerprint(managerKey, [settings, known, files])}`;
}
