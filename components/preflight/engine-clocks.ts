import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../../lib/plan/plan.ts";
import { CLOCK_SKEW } from "../../lib/tls/certificate-rules.ts";
import { clockOffset } from "../../live/engine/clock-offset.ts";
import type { Engine } from "../../live/engine/engine.ts";
import type { Logger } from "../logger.ts";
import { isMocked } from "../mocked.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/**
 * Compares the clocks of machines with this one's. A node whose clock is behind takes certificates that are issued now for
 * those of the future, and gets no route: half of a rollout would be done by then.
 *
 * @throws pulumi.RunError naming the engines, how far they are behind, and the way out.
 */
export async function compareClocks(
  engines: readonly Engine[],
  { tls }: Pick<ClusterPlan, "tls">,
  log: Logger,
): Promise<void> {
  const others = engines.filter(({ place }) => place !== undefined);
  if (isMocked() || others.length === 0) return;
  const offsets = await Promise.all(
    others.map(async (engine) => ({ key: engine.key, offset: await clockOffset(engine) })),
  );
  const far = offsets.filter(({ offset }) => Math.abs(offset) >= CLOCK_SKEW);
  if (far.length === 0) return;
  const lines = far.map(({ key, offset }) => `  engines.${key}: ${describeOffset(offset)}`);
  const text = `Clocks of machines are apart from the one here:\n${lines.join("\n")}\nSet them right, e.g. by NTP (timedatectl set-ntp true), this machine's if it is the wrong one.`;
  if (tls === "stack" && far.some(({ offset }) => offset < 0)) {
    throw new pulumi.RunError(
      `${text} Certificates are valid from ${CLOCK_SKEW / MINUTE} minutes before they are made, and nodes would take new ones for not yet valid.`,
    );
  }
  log.warn(`${text} Times of messages, and when certificates end, go by them.`);
}

function describeOffset(offset: number): string {
  const seconds = Math.round(Math.abs(offset) / SECOND);
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  return `${minutes} min ${rest} s ${offset < 0 ? "behind" : "ahead"}`;
}
