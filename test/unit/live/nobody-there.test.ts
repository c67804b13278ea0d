import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { engineAt } from "../../../live/engine/engine.ts";
import { targetIn, whyNobodyIsThere } from "../../../live/engine/nobody-there.ts";

/** Nobody has it (RFC 6761). */
const NOBODYS = "m1.invalid";

describe("where ssh connects to", () => {
  test.each([
    ["its host, port and patience", "port 2222\nhostname m1.example.com\nconnecttimeout 3", 2222],
    ["no other host", "hostname m1.example.com\nport 22\nproxyjump none\nconnecttimeout 3", 22],
  ])("is %s", (_, config, port) => {
    expect(targetIn(config)).toEqual({ host: "m1.example.com", port, limit: 3_000 });
  });

  test.each([
    ["a machine in between", "hostname m1\nport 22\nconnecttimeout 3\nproxyjump gate"],
    ["a program in between", "hostname m1\nport 22\nconnecttimeout 3\nproxycommand nc %h %p"],
    ["as long as it takes", "hostname m1\nport 22\nconnecttimeout none"],
  ])("isn't tried with %s", (_, config) => expect(targetIn(config)).toBeUndefined());
});

describe("a machine", () => {
  let folder: string;
  const find = async (hostname: string, port: number, host = "ssh://nats@m1", wait = 2_500) => {
    const config = `hostname ${hostname}\nport ${port}\nconnecttimeout 1`;
    writeFileSync(path.join(folder, "ssh"), `#!/bin/sh\necho '${config}'\n`, { mode: 0o755 });
    const engine = engineAt({ key: "rg1", host, address: "m1", ssh: [] });
    const over = new AbortController();
    const late = sleep(wait, "nothing to say", { ref: false });
    return await Promise.race([whyNobodyIsThere(engine, over.signal), late]).finally(() =>
      over.abort(),
    );
  };

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "nobody-"));
    vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  test("that accepts no connection isn't there", async () => {
    expect(await find(NOBODYS, 22, "ssh://nats@m1", 20_000)).toMatch(
      /^ssh: connect to host m1\.invalid port 22: /,
    );
  });

  test("that accepts or refuses one is there, and may take its time", async () => {
    await using server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    expect(await find("127.0.0.1", port)).toBe("nothing to say");
    server.close();
    expect(await find("127.0.0.1", port)).toBe("nothing to say");
  });

  test("isn't tried where docker has another way", async () => {
    expect(await find(NOBODYS, 22, "remote")).toBe("nothing to say");
  });
});
