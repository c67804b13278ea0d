import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { EnginePlan } from "../../../lib/topology/engines.ts";
import { EnginesChanged, engineOf, findEngines } from "../../../live/engine/engines-of.ts";

const STACK = { organization: "acme", project: "shop", stack: "dev" };
const planOf = (key: string, host: string): EnginePlan => ({
  key,
  host,
  address: `${key}.example.com`,
  bindAddress: "0.0.0.0",
  ssh: [],
});
const RG1 = planOf("rg1", "ssh://m1");
const RG2 = planOf("rg2", "ssh://m2");

/** Lists the containers in the file of its host; without one there is no such engine. */
const DOCKER = `#!/bin/sh
names="$0-$(basename "$DOCKER_HOST")"
[ -f "$names" ] || { echo "no route to $DOCKER_HOST" >&2; exit 1; }
case "$1" in ps) sed 's/.*/{"name":"&"}/' "$names" ;; *) echo 28.0.0 ;; esac
`;

let folder: string;
const has = (machine: string, ...names: string[]) =>
  writeFileSync(path.join(folder, `docker-${machine}`), names.map((each) => `${each}\n`).join(""));

const urnOf = (key: string) => `urn:pulumi:dev::shop::pulumi:providers:docker::c1-docker-${key}`;

/** The stack's state: a node on each of these engines. */
const noted = (...plans: readonly EnginePlan[]) => {
  const resources = plans.flatMap(({ key, host, address, ssh }) => [
    { urn: urnOf(key), type: "pulumi:providers:docker", inputs: { host, context: "" } },
    {
      urn: `script-${key}`,
      type: "command:local:Command",
      inputs: { environment: { ENGINES: JSON.stringify([{ key, host, address, ssh }]) } },
    },
    {
      urn: `container-${key}`,
      type: "docker:index/container:Container",
      provider: host === "" ? "default::c0ffee" : `${urnOf(key)}::c0ffee`,
      inputs: { name: `node-${key}` },
    },
  ]);
  writeFileSync(path.join(folder, "state"), JSON.stringify({ deployment: { resources } }));
};

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "engines-of-"));
  writeFileSync(path.join(folder, "docker"), DOCKER, { mode: 0o755 });
  writeFileSync(path.join(folder, "pulumi"), `#!/bin/sh\ncat ${folder}/state`, { mode: 0o755 });
  vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
  for (const machine of ["m1", "m2"]) has(machine);
  noted();
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const find = async (...planned: readonly EnginePlan[]) => {
  const { engines, answering, silent, recorded } = await findEngines(planned, STACK);
  const keysOf = (those: typeof engines) => those.map(({ key }) => key);
  return { engines: keysOf(engines), answering: keysOf(answering), silent, recorded };
};

describe("a cluster's engines", () => {
  test("are those of the settings, with what the state has there", async () => {
    noted(RG1);
    expect(await find(RG1, RG2)).toEqual({
      engines: ["rg1", "rg2"],
      answering: ["rg1", "rg2"],
      silent: new Map(),
      recorded: new Set(["node-rg1"]),
    });
  });

  test("are also those that the settings no longer have, and nodes are about to leave", async () => {
    noted(RG1, RG2);
    expect((await find(RG1)).engines).toEqual(["rg1", "rg2 (former)"]);
  });

  test("are told with why they don't answer", async () => {
    const { answering, silent } = await find(RG1, planOf("rg3", "ssh://m3"));
    expect(answering).toEqual(["rg1"]);
    expect([...silent]).toEqual([["rg3", "no route to ssh://m3"]]);
  });

  test("are no longer at a host that doesn't answer, where another one leads to the same nodes", async () => {
    noted(planOf("rg1", "ssh://before"), RG2);
    has("m1", "somebody-elses", "node-rg1");
    const { engines, silent } = await find(RG1, RG2);
    expect(engines).toEqual(["rg1", "rg2"]);
    expect(silent.size).toBe(0);
  });

  test.each([
    ["has other containers", () => has("m1", "somebody-elses")],
    ["doesn't answer", () => rmSync(path.join(folder, "docker-m1"))],
    ["is another region's", () => has("m2", "node-rg1", "node-rg2")],
  ])("stay at a host that doesn't answer, where the other one %s", async (_, put) => {
    noted(planOf("rg1", "ssh://before"));
    put();
    const { engines, silent } = await find(RG2, RG1);
    expect(engines).toEqual(["rg2", "rg1", "rg1 (former)"]);
    expect(silent.has("rg1 (former)")).toBe(true);
  });

  test("are refused to a stack that has nodes on the environment's", async () => {
    noted(planOf("rg1", ""));
    await expect(find(RG1)).rejects.toThrow(EnginesChanged);
  });

  describe("whose machines are lost", () => {
    const losing = async (lost: readonly string[], ...planned: readonly EnginePlan[]) => {
      const { lost: found, engines } = await findEngines(planned, STACK, undefined, {
        lost,
        prefix: "c1-docker-",
      });
      const answering = found?.answering.map(({ host }) => host);
      return { parts: found?.parts, answering, engines: engines.map(({ key }) => key) };
    };

    test("are none of the others, and come with what the state has there", async () => {
      noted(RG1, RG2);
      rmSync(path.join(folder, "docker-m2"));
      expect(await losing(["rg2"], RG1)).toEqual({
        parts: new Map([["rg2", { containers: ["node-rg2"], isEmpty: false }]]),
        answering: [],
        engines: ["rg1"],
      });
    });

    test("are told of if they answer all the same", async () => {
      noted(RG1, RG2);
      expect((await losing(["rg2"], RG1)).answering).toEqual(["ssh://m2"]);
    });

    test("let somebody else's machine at their address refuse", async () => {
      noted(RG1, RG2);
      const refusing =
        '#!/bin/sh\n[ "$DOCKER_HOST" != ssh://m2 ] || { echo "Host key verification failed." >&2; exit 1; }\n';
      writeFileSync(path.join(folder, "docker"), `${refusing}echo 28.0.0\n`, { mode: 0o755 });
      expect((await losing(["rg2"], RG1)).answering).toEqual([]);
    });

    test("are refused where the stack never had them, or where others use them", async () => {
      noted(RG1, RG2);
      await expect(losing(["rg3"], RG1)).rejects.toThrow(
        'lost: the stack has nothing on an engine "rg3". Take out of engines what is lost, and name it: lost: ["rg2"].',
      );
      await expect(losing(["rg2"], RG1, planOf("rg4", "ssh://m2"))).rejects.toThrow(
        "lost: rg2 is on the machine of rg4, ssh://m2, which is in engines",
      );
    });
  });

  test("are the environment's without any, of which no state is read", async () => {
    rmSync(path.join(folder, "state"));
    expect((await find()).engines).toEqual([""]);
  });
});

test("a node's engine is found by its key", async () => {
  const { engines } = await findEngines([RG1, RG2], STACK);
  expect(engineOf(engines, { engine: RG2 }).host).toBe("ssh://m2");
  expect(() => engineOf(engines, { engine: planOf("rg9", "x") })).toThrow("there is no engine rg9");
  expect(() => engineOf(engines, {})).toThrow("there is no engine");
});
