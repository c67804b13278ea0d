import { afterEach, describe, expect, it } from "vitest";
import { restatePlacement } from "../../lib/streams/stream-diff.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import { type JetStreamPort, StreamNotFound } from "../../live/jetstream/jetstream.ts";
import { eventually } from "./eventually.ts";

/** What every JetStreamPort to the seed's nine servers must do. It runs against the fake and against the real one. */
export function describeJetStreamPort(name: string, open: () => JetStreamPort): void {
  describe(`JetStreamPort: ${name}`, () => {
    const stream: StreamConfig = {
      name: "CONFORMANCE",
      subjects: ["conformance.>"],
      num_replicas: 3,
      placement: { tags: ["rg:2"] },
    };
    const hostsOf = async (port: JetStreamPort) => {
      const { cluster } = await port.info(stream.name);
      return [cluster?.leader ?? "", ...(cluster?.replicas ?? []).map((peer) => peer.name)].sort();
    };
    const calm = (port: JetStreamPort, hosts: readonly string[]) =>
      eventually(async () => {
        const { cluster } = await port.info(stream.name);
        return !cluster?.desired && (await hostsOf(port)).join() === hosts.join();
      });
    const region = (number: number) => [1, 2, 3].map((zone) => `rg${number}-az${zone}`);

    afterEach(async () => {
      for (const created of [stream.name, "RIVAL"]) {
        await open()
          .delete(created)
          .catch(() => undefined);
      }
    });

    it("says not found for what is not there", async () => {
      await expect(open().info("ABSENT")).rejects.toBeInstanceOf(StreamNotFound);
      await expect(open().delete("ABSENT")).rejects.toBeInstanceOf(StreamNotFound);
      await expect(open().update({ name: "ABSENT" })).rejects.toBeInstanceOf(StreamNotFound);
    });

    it("creates a stream where its tags say, once", async () => {
      const port = open();
      await port.create(stream);
      await port.create(stream);
      await calm(port, region(2));
      const { config, created, state } = await port.info(stream.name);
      expect(config).toMatchObject({ ...stream, storage: "file", max_age: 0 });
      expect(created).toMatch(/^\d{4}-\d\d-\d\dT/);
      expect(state).toMatchObject({ messages: 0, consumer_count: 0 });
    });

    it.each([
      { problem: "the name in use", code: 10058, config: { ...stream, description: "another" } },
      {
        problem: "subjects that overlap",
        code: 10065,
        config: { name: "RIVAL", subjects: ["conformance.*"] },
      },
      {
        problem: "tags that too few servers carry",
        code: 10005,
        config: { name: "RIVAL", num_replicas: 3, placement: { tags: ["rg:4"] } },
      },
    ] as { problem: string; code: number; config: StreamConfig }[])(
      "refuses to create with $problem",
      async ({ code, config }) => {
        const port = open();
        await port.create(stream);
        await expect(port.create(config)).rejects.toMatchObject({ code });
      },
    );

    it.each([
      { problem: "another storage", code: 10052, change: { storage: "memory" } },
      {
        problem: "another place and scale",
        code: 10123,
        change: { placement: { tags: ["rg:3"] }, num_replicas: 1 },
      },
      {
        problem: "a place that can't be",
        code: 10005,
        change: { placement: { tags: ["rg:2", "az:1"] } },
      },
      { problem: "the work queue policy", code: 10052, change: { retention: "workqueue" } },
    ] as { problem: string; code: number; change: Partial<StreamConfig> }[])(
      "refuses to update to $problem",
      async ({ code, change }) => {
        const port = open();
        await port.create(stream);
        await calm(port, region(2));
        await expect(port.update({ ...stream, ...change })).rejects.toMatchObject({ code });
        expect(await hostsOf(port)).toEqual(region(2));
      },
    );

    it("unsets what an update leaves out", async () => {
      const port = open();
      await port.create({ ...stream, description: "for now", max_msgs: 10 });
      await port.update(stream);
      const { config } = await port.info(stream.name);
      expect(config.description ?? "").toBe("");
      expect(config.max_msgs).toBe(-1);
    });

    it("moves to other tags, one move at a time", async () => {
      const port = open();
      await port.create(stream);
      await calm(port, region(2));
      await port.update({ ...stream, placement: { tags: ["rg:3"] } });
      await expect(port.update({ ...stream, placement: { tags: ["rg:1"] } })).rejects.toMatchObject(
        { code: 10124 },
      );
      await calm(port, region(3));
    });

    it("moves nothing when the placement is taken away", async () => {
      const port = open();
      await port.create(stream);
      await calm(port, region(2));
      const { placement: _, ...unplaced } = stream;
      await port.update(unplaced);
      expect((await port.info(stream.name)).cluster?.desired).toBeUndefined();
      expect(await hostsOf(port)).toEqual(region(2));
    });

    it("takes the same placement in other words, and keeps them", async () => {
      const port = open();
      await port.create(stream);
      await calm(port, region(2));
      const placement = restatePlacement(stream.placement);
      await port.update({ ...stream, placement });
      await calm(port, region(2));
      expect((await port.info(stream.name)).config.placement).toEqual(placement);
    });

    it("scales down to one of its hosts, and up again", async () => {
      const port = open();
      await port.create(stream);
      await calm(port, region(2));
      await port.update({ ...stream, num_replicas: 1 });
      await eventually(async () => (await hostsOf(port)).length === 1);
      expect(region(2)).toContain((await hostsOf(port))[0]);
      await eventually(async () => !(await port.info(stream.name)).cluster?.desired);
      await port.update(stream);
      await calm(port, region(2));
    });

    it("hands the leadership to whom it is asked to, and leaves the replicas alone", async () => {
      const port = open();
      await port.create(stream);
      await calm(port, region(2));
      const leaderNow = async () => (await port.info(stream.name)).cluster?.leader ?? "";
      for (const candidate of region(2)) {
        if ((await leaderNow()) === candidate) continue;
        await port.stepDown(stream.name, candidate);
        await eventually(async () => (await leaderNow()) === candidate);
      }
      expect(await hostsOf(port)).toEqual(region(2));
      await expect(port.stepDown(stream.name, await leaderNow())).rejects.toMatchObject({
        code: 10005,
      });
      await expect(port.stepDown(stream.name, "rg3-az1")).rejects.toMatchObject({ code: 10005 });
      await expect(port.stepDown("ABSENT", "rg3-az1")).rejects.toBeInstanceOf(StreamNotFound);
    });

    it("hands over nothing where there is one replica only", async () => {
      const port = open();
      await port.create({ ...stream, num_replicas: 1 });
      const [host = ""] = await hostsOf(port);
      await port.stepDown(stream.name, "rg3-az1");
      expect(await hostsOf(port)).toEqual([host]);
    });

    it("tells what a move came from, and takes it back", async () => {
      const port = open();
      await port.create(stream);
      await calm(port, region(2));
      await expect(port.cancelMove(stream.name)).rejects.toMatchObject({ code: 10129 });
      await expect(port.cancelMove("ABSENT")).rejects.toBeInstanceOf(StreamNotFound);
      await port.update({ ...stream, placement: { tags: ["rg:3"] }, description: "kept" });
      await eventually(async () => {
        const { desired } = (await port.info(stream.name)).cluster ?? {};
        expect(desired?.origin).toMatchObject({ replicas: 3, placement: stream.placement });
        return (
          desired?.replicas
            ?.map(({ name }) => name)
            .sort()
            .join() === region(3).join()
        );
      });
      await port.cancelMove(stream.name);
      await calm(port, region(2));
      const { config } = await port.info(stream.name);
      expect(config).toMatchObject({ ...stream, description: "kept" });
    });
  });
}
