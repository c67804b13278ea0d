import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import type { MachineName } from "../support/machines/directions.ts";
import type { Machine } from "../support/machines/machine.ts";
import { Machines, whyNoMachines } from "../support/machines/machines.ts";

const IMAGE = "nats:2.15.2";
const CLIENTS = 4222;
const ENGINE_ID = ["info", "--format={{.ID}}"];
const RUNNING = ["ps", "--quiet", "--no-trunc"];

const reason = await whyNoMachines();

describe.skipIf(reason)(`several machines${reason === undefined ? "" : ` (${reason})`}`, () => {
  let machines: Machines;

  beforeAll(async () => {
    machines = await Machines.start({ count: 3, images: [IMAGE] });
  });

  afterAll(async () => {
    await machines?.[Symbol.asyncDispose]();
  });

  const at = (name: MachineName) => machines.machine(name);

  /** Resolves when the server can be reached. @returns the container's ID. */
  async function runServer(machine: Machine): Promise<string> {
    const options = ["--restart=unless-stopped", `--publish=${CLIENTS}:${CLIENTS}`];
    const container = await machine.docker("run", "--detach", ...options, IMAGE);
    await eventually(async () => {
      (await greet(machine)).destroy();
      return true;
    });
    return container;
  }

  /** A connection to the server, which has said INFO. */
  async function greet({ address }: Machine): Promise<Socket> {
    const socket = connect(CLIENTS, address);
    await once(socket, "data");
    return socket;
  }

  test("each has an engine of its own", async () => {
    const { stdout: users } = await execa("docker", ENGINE_ID);
    const ids = await Promise.all(machines.all.map((machine) => machine.docker(...ENGINE_ID)));
    expect(new Set([users, ...ids]).size).toBe(4);
    for (const machine of machines.all) {
      expect(await machine.docker("ps", "--all", "--quiet")).toBe("");
    }
  });

  test("ssh lets in a user who may use the engine, and nobody else", async () => {
    const { address, host } = at("m1");
    expect(host).toBe(`ssh://nats@${address}`);
    const ssh = (user: string) =>
      execa("ssh", ["-F", machines.sshConfig, `${user}@${address}`, "id", "-Gn"], {
        reject: false,
      });
    expect((await ssh("nats")).stdout).toBe("nats docker");
    expect((await ssh("root")).stderr).toContain("Permission denied");
    const { stdout } = await execa("docker", ["version", "--format={{.Server.Version}}"], {
      env: { ...machines.environment, DOCKER_HOST: host },
    });
    expect(stdout).toMatch(/^\d+\./);
  });

  test("a machine can't write to this system", async () => {
    const files = ["/machines-test", "/usr/bin/machines-test", "/lib/machines-test"];
    const enter = [`--target=${at("m1").pid}`, "--all", "--"];
    const { stderr } = await execa("nsenter", [...enter, "touch", ...files], { reject: false });
    expect(stderr.match(/Read-only file system/g)).toHaveLength(files.length);
    await execa("nsenter", [...enter, "touch", "/etc/machines-test", "/var/machines-test"]);
    expect((await execa("ls", ["/etc", "/var"])).stdout).not.toContain("machines-test");
  });

  test("images are those of the user's engine", async () => {
    const inspect = ["image", "inspect", "--format={{.Id}}", IMAGE];
    const { stdout } = await execa("docker", inspect);
    for (const machine of machines.all) expect(await machine.docker(...inspect)).toBe(stdout);
  });

  test("after a power cut, nobody hears of the machine; a boot brings its containers back", async () => {
    const machine = at("m2");
    const container = await runServer(machine);
    const engine = await machine.docker(...ENGINE_ID);
    const socket = await greet(machine);
    const endings: string[] = [];
    for (const ending of ["end", "error"]) socket.on(ending, () => endings.push(ending));

    await machine.kill();
    expect(machine.isOn).toBe(false);
    await machine.boot();
    expect(endings).toEqual([]);

    await eventually(async () => (await machine.docker(...RUNNING)) === container);
    expect(await machine.docker(...ENGINE_ID)).toBe(engine);
    // Only now the other side hears of the connection, of which it knows nothing.
    socket.write("PING\r\n");
    await eventually(async () => endings.length > 0);
    socket.destroy();
    await machine.docker("rm", "--force", container);
  });

  test("an engine stops and starts again, with its containers", async () => {
    const machine = at("m1");
    const container = await runServer(machine);
    await machine.stopEngine();
    await expect(machine.docker("ps")).rejects.toThrow("Cannot connect to the Docker daemon");
    await expect(machine.stopEngine()).rejects.toThrow("m1's engine doesn't run");
    await machine.startEngine();
    await eventually(async () => (await machine.docker(...RUNNING)) === container);
    await machine.docker("rm", "--force", container);
  });

  test("a paused engine answers when it is resumed, and its containers meanwhile", async () => {
    const machine = at("m3");
    const container = await runServer(machine);
    await machine.pauseEngine();
    let hasAnswered = false;
    const answer = machine.docker(...RUNNING).finally(() => {
      hasAnswered = true;
    });
    (await greet(machine)).destroy();
    expect(hasAnswered).toBe(false);
    await machine.resumeEngine();
    expect(await answer).toBe(container);
    await machine.docker("rm", "--force", container);
  });

  test("a machine is added", async () => {
    const machine = await machines.addMachine();
    expect(machine.name).toBe("m4");
    expect(await machine.docker("images", "--quiet", IMAGE)).not.toBe("");
    expect(machines.all.map(({ name }) => name)).toEqual(["m1", "m2", "m3", "m4"]);
  });
});
