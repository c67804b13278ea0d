import { randomBytes } from "node:crypto";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { closeConnections, openJetStream } from "../../live/jetstream/jetstream.ts";
import { hostsOf, isSettled } from "../../providers/streams/replicas.ts";
import { removeFromEngine } from "../../test/support/on-engine.ts";
import { PINNED_IMAGE } from "../setup/nats.ts";
import type { Step } from "./cycle.ts";
import { type Timing, time } from "./stopwatch.ts";

/** The steps that OpenTofu has as well. */
export type PeerRound = Readonly<Partial<Record<Step, Timing>>>;

const CONFIGURATION = path.join(import.meta.dirname, "opentofu");

/** Where OpenTofu looks for providers on this machine before it asks a registry. */
const PROVIDERS = path.join(homedir(), ".terraform.d/plugins");
/** Takes the providers from there only. */
const INIT = ["init", "-input=false", `-plugin-dir=${PROVIDERS}`];

/** Different from the ports of other stacks and of the example's flow, and below the ephemeral ports. */
const PORTS = { client: 21_322, monitor: 25_322 };
const POLL_MS = 20;
const LONGEST_MOVE_MS = 60_000;

/** Why OpenTofu can't be measured on this machine; `undefined` if it can. It is never installed from here. */
export async function whyNoOpenTofu(): Promise<string | undefined> {
  const { failed } = await execa("tofu", ["version"], { reject: false });
  if (failed) return "there is no tofu on the PATH";
  const folder = copyConfiguration();
  try {
    const { exitCode } = await execa({ reject: false })("tofu", INIT, { cwd: folder });
    return exitCode === 0 ? undefined : `its providers aren't in ${PROVIDERS}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Takes the same nine nodes and two streams through the steps of {@link runRound}, as far as OpenTofu has them. See {@link time}. */
export async function runPeerRound(lookMs?: number): Promise<PeerRound> {
  const name = `bench-${randomBytes(4).toString("hex")}`;
  const folder = copyConfiguration();
  const env = {
    TF_VAR_name: name,
    TF_VAR_image: PINNED_IMAGE,
    TF_VAR_client_port: `${PORTS.client}`,
    TF_VAR_monitor_port: `${PORTS.monitor}`,
    TF_VAR_orders_tag: "rg:2",
  };
  const tofu = (command: string, ...options: string[]) =>
    time("tofu", [command, "-input=false", "-no-color", ...options], { cwd: folder, env }, lookMs);
  try {
    await execa("tofu", INIT, { cwd: folder });
    const coldUp = await tofu("apply", "-auto-approve");
    const noOpPreview = await tofu("plan", "-detailed-exitcode");
    const noOpUp = await tofu("apply", "-auto-approve");
    env.TF_VAR_orders_tag = "rg:3";
    const movePreview = await tofu("plan");
    const began = performance.now();
    const move = await tofu("apply", "-auto-approve");
    await ordersAreIn("rg3");
    const moved = { ...move, seconds: (performance.now() - began) / 1_000 };
    const destroy = await tofu("destroy", "-auto-approve");
    return {
      "cold up": coldUp,
      "no-op preview": noOpPreview,
      "no-op up": noOpUp,
      "tag change: preview": movePreview,
      "tag change: up, move complete": moved,
      destroy,
    };
  } finally {
    await removeFromEngine(name);
    rmSync(folder, { recursive: true, force: true });
  }
}

function copyConfiguration(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "nats-regions-opentofu-"));
  cpSync(CONFIGURATION, folder, { recursive: true });
  return folder;
}

/** Waits until the stream has its leader and its replicas there, current. OpenTofu doesn't wait for that itself. */
async function ordersAreIn(region: string): Promise<void> {
  const urls = [`nats://127.0.0.1:${PORTS.client}`];
  const port = openJetStream({ urls, user: "user", password: "user" }, "APP");
  const end = performance.now() + LONGEST_MOVE_MS;
  try {
    while (performance.now() < end) {
      const info = await port.info("ORDERS");
      const hosts = hostsOf(info);
      if (isSettled(info) && hosts.every((host) => host.startsWith(region))) return;
      await sleep(POLL_MS);
    }
    throw new Error(`the stream ORDERS isn't in ${region} after ${LONGEST_MOVE_MS / 1_000} s`);
  } finally {
    await closeConnections();
  }
}
