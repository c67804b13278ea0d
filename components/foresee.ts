import * as pulumi from "@pulumi/pulumi";
import { fingerprint } from "../lib/accounts/credentials.ts";
import type { Engine } from "../live/engine/engine.ts";
import { type Announcement, announceChanges } from "./announce-changes.ts";
import { announceImage } from "./announce-image.ts";
import { announceDepartures } from "./departure-steps.ts";
import { promiseOf } from "./known-value.ts";
import { observerOf } from "./observer.ts";
import { type EngineState, inspectEngine } from "./preflight.ts";
import { readTlsFiles, type TlsTexts } from "./read-tls-files.ts";
import { refuseShortages } from "./refuse-shortages.ts";
import { goesByPlan } from "./saved-plan.ts";
import type { StackPlan } from "./stack-settings.ts";

/** What the running stack is like before anything changes, and what this update does to it. */
export interface Foresight extends Announcement {
  readonly before: EngineState;
  /** The user's own certificates, if they are to be used. */
  readonly tlsTexts?: TlsTexts;
  /** What a saved plan, and an `up` by it, have to have in common. */
  readonly planMark?: string;
}

/**
 * Looks at the engine and the nodes, says what is going to happen to them, and refuses what would lose messages or what
 * the servers would refuse.
 *
 * @throws pulumi.RunError, which is shown without a stack trace.
 */
export async function foresee(
  engine: Engine,
  { plan, ownership, accounts, access }: StackPlan,
): Promise<Foresight> {
  for (const notice of plan.notices) void pulumi.log.info(notice);
  const before = await inspectEngine(engine, plan, ownership);
  const tlsTexts = readTlsFiles(plan, before);
  const observe = observerOf(plan, before);
  const [announcement] = await Promise.all([
    announceChanges(plan, accounts, before, tlsTexts, observe),
    announceImage(plan, before, observe),
    announceDepartures(plan, before),
    refuseShortages(plan, before, observe),
  ]);
  // What all secrets of the cluster's resources stem from.
  const facts = [pulumi.runtime.allConfig(), tlsTexts, before.tls];
  const mark = async () => `settings-${fingerprint((await promiseOf(access)).managerKey, facts)}`;
  return {
    ...announcement,
    before,
    ...(tlsTexts ? { tlsTexts } : {}),
    ...(goesByPlan() ? { planMark: await mark() } : {}),
  };
}
