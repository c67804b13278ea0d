import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { eventually } from "../support/eventually.ts";
import { LibraryProgram } from "../support/library.ts";
import { NatsClient } from "../support/nats-client.ts";
import { PASSWORDS } from "../support/passwords.ts";

const urls = z.record(z.string(), z.string());
/**
 * Milliseconds until a mirror asks again whose origin didn't answer: it waits 30 s for an answer, then for 10 s more
 * after each failure (nats-server 2.15, `srcConsumerWaitTime` and `calculateRetryBackoff`).
 */
const MIRROR_RETRIES = 120_000;

/** Brings an example up, sees that it stays as it is, and gives its outputs. */
async function bringUp<Outputs>(
  program: LibraryProgram,
  outputs: z.ZodType<Outputs>,
): Promise<Outputs> {
  await program.expectPulumi("up", "--yes", "--skip-preview");
  await program.expectPulumi("preview", "--expect-no-changes");
  return outputs.parse(await program.outputs());
}

async function takeDown(program: LibraryProgram): Promise<void> {
  await program.expectPulumi("destroy", "--yes", "--skip-preview");
  expect(await program.leftovers()).toEqual([]);
}

/** Side by side: each is a project of its own, and none of them measures anything. */
describe.concurrent("the example", () => {
  test("seed: one stream across the regions, one in a region", async () => {
    await using program = await LibraryProgram.installExample("seed", ["c1"], PASSWORDS);
    const { clientUrls } = await bringUp(program, z.object({ clientUrls: urls }));
    {
      await using client = await NatsClient.connect({ clientUrls });
      expect(await client.hosts("EVENTS")).toEqual(["rg1-az1", "rg2-az2", "rg3-az3"]);
      expect(await client.hosts("ORDERS")).toEqual(["rg2-az1", "rg2-az2", "rg2-az3"]);
    }
    await takeDown(program);
  });

  test("streams-beside: two accounts with streams of the same names", async () => {
    const secrets = {
      systemPassword: PASSWORDS.systemPassword,
      shopPassword: "shop-Emu-23",
      billingPassword: "billing-Gnu-42",
    };
    const outputs = z.object({ clientUrls: urls, placements: z.record(z.string(), z.unknown()) });
    await using program = await LibraryProgram.installExample("streams-beside", ["c1"], secrets);
    const { clientUrls, placements } = await bringUp(program, outputs);
    expect(Object.keys(placements).sort()).toEqual([
      "billing-audit",
      "billing-orders",
      "shop-audit",
      "shop-orders",
    ]);
    {
      await using shop = await NatsClient.connect({ clientUrls }, "shop", secrets.shopPassword);
      const { billingPassword } = secrets;
      await using billing = await NatsClient.connect({ clientUrls }, "billing", billingPassword);
      await shop.publish("orders.1", "of the shop");
      expect(await shop.payloads("ORDERS")).toEqual(["of the shop"]);
      expect(await billing.payloads("ORDERS")).toEqual([]);
    }
    await takeDown(program);
  });

  test("two-clusters: what is published in one is in the other, message by message", async () => {
    const secrets = { ...PASSWORDS, linkPassword: "link-Ox/15@" };
    const outputs = z.object({ westUrls: urls, eastUrls: urls });
    await using program = await LibraryProgram.installExample(
      "two-clusters",
      ["west", "east"],
      secrets,
    );
    const { westUrls, eastUrls } = await bringUp(program, outputs);
    {
      await using west = await NatsClient.connect({ clientUrls: westUrls });
      await using east = await NatsClient.connect({ clientUrls: eastUrls });
      const payloads = Array.from({ length: 500 }, (_, index) => `order ${index}`);
      const publish = async (from: number, to: number) => {
        for (const payload of payloads.slice(from, to)) await west.publish("orders.1", payload);
      };
      const copied = async () => (await east.info("ORDERS")).state.messages;
      await publish(0, 300);
      await eventually(async () => (await copied()) === 300, MIRROR_RETRIES);

      const inWest = ["--filter", `network=${program.project}-dev-west`];
      const { stdout: link } = await execa("docker", [
        "ps",
        "-q",
        "--filter=name=^link-",
        ...inWest,
      ]);
      await execa("docker", ["kill", link]);
      await publish(300, 500);
      expect(await copied()).toBe(300);
      await execa("docker", ["start", link]);
      await eventually(async () => (await copied()) === 500, MIRROR_RETRIES);
      expect(await east.payloads("ORDERS")).toEqual(payloads);
    }
    await takeDown(program);
  });
});
