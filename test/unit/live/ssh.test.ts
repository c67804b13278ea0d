import { execFile } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sshEnvironment } from "../../../live/engine/ssh/ssh-environment.ts";

const DIAL = ["-o", "ConnectTimeout=30", "-T", "--", "m1", "docker", "system", "dial-stdio"];
const NOBODY = 65_534;

describe("ssh to an engine", () => {
  let folder: string;
  let sockets: string;
  let env: NodeJS.ProcessEnv;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "ssh-"));
    const fake = path.join(folder, "bin");
    mkdirSync(fake);
    writeFileSync(path.join(fake, "ssh"), '#!/bin/sh\nprintf "%s\\n" "$@" > "$0-args"\n');
    chmodSync(path.join(fake, "ssh"), 0o755);
    sockets = path.join(folder, `nats-regions-ssh-${userInfo().uid}`);
    env = { PATH: `${fake}:${process.env.PATH}`, XDG_RUNTIME_DIR: folder };
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** What the real ssh is told. */
  const told = async (args: readonly string[], options: readonly string[] = []) => {
    await promisify(execFile)("ssh", args, { env: { ...env, ...sshEnvironment(env, options) } });
    return readFileSync(path.join(folder, "bin/ssh-args"), "utf8").trim().split("\n");
  };

  const own = () => [
    ...["-o", "ConnectTimeout=3", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=2"],
    ...["-o", "ControlMaster=auto", "-o", `ControlPath=${sockets}/%C`, "-o", "ControlPersist=60"],
  ];

  test("shares one connection for each machine, and gives up on those that nobody answers", async () => {
    expect(await told(DIAL)).toEqual([...own(), ...DIAL]);
    const withPath = [...DIAL.slice(0, -2), "--host", "unix:///run/x.sock", "system", "dial-stdio"];
    expect(await told(withPath)).toEqual([...own(), ...withPath]);
  });

  test("takes options of one's own first, of which ssh takes the first, in their order", async () => {
    const options = ["IdentityFile=~/a key", "IdentityFile=/b", "ConnectTimeout=20"];
    expect(await told(DIAL, options)).toEqual([
      ...options.flatMap((option) => ["-o", option]),
      ...own(),
      ...DIAL,
    ]);
  });

  test("leaves any other use of ssh alone", async () => {
    const args = ["-T", "git@example.com", "git-upload-pack 'x y'"];
    expect(await told(args, ["Port=2222"])).toEqual(args);
  });

  test("keeps its sockets from others", async () => {
    await told(DIAL);
    expect(statSync(sockets).mode & 0o777).toBe(0o700);
  });

  test.each<[string, () => void]>([
    [
      "a folder",
      () => {
        // Only root can give a folder away. To others, the root folder is somebody else's.
        if (userInfo().uid !== 0) return symlinkSync("/", sockets);
        mkdirSync(sockets);
        chownSync(sockets, NOBODY, NOBODY);
      },
    ],
    ["a link", () => symlinkSync(folder, sockets)],
  ])("uses %s of nobody else for sockets", async (_, put) => {
    put();
    await expect(told(DIAL)).rejects.toMatchObject({
      code: 255,
      stderr: `${sockets} belongs to somebody else\n`,
    });
    expect(() => readFileSync(path.join(folder, "bin/ssh-args"))).toThrow("ENOENT");
  });

  test("is before the real one in PATH, once", () => {
    const once = sshEnvironment({ PATH: "/usr/bin" });
    expect(once.PATH).toMatch(/\/live\/engine\/ssh:\/usr\/bin$/);
    expect(sshEnvironment(once).PATH).toBe(once.PATH);
  });
});
