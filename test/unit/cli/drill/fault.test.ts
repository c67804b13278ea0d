import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { bringBack, takeDown } from "../../../../cli/drill/fault.ts";
import { UserError } from "../../../../cli/terminal/user-error.ts";
import { engineFromEnvironment } from "../../../../live/engine/engine.ts";

/** Containers are in the state that they are called by; one that is `broken` can't be started. */
const DOCKER = `#!/bin/sh
for container; do :; done
echo "$1 $container" >> "$0-log"
case "$1 $container" in
*" gone") echo "Error response from daemon: No such container: gone" >&2; exit 1 ;;
"start broken") echo "Error response from daemon: no space left on device" >&2; exit 1 ;;
"inspect "*) echo "$container" ;;
esac
`;

const here = (...containers: string[]) =>
  containers.map((container) => ({ engine: engineFromEnvironment(), container }));

describe("a drill", () => {
  let folder: string;
  const log = () => readFileSync(path.join(folder, "docker-log"), "utf8").trim().split("\n");

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "fault-"));
    writeFileSync(path.join(folder, "docker"), DOCKER, { mode: 0o755 });
    vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  test("takes all down, though one of them isn't there, and says so in the engine's words", async () => {
    const failure = takeDown(here("gone", "a", "b"), "kill");
    await expect(failure).rejects.toThrow(new UserError("docker kill: No such container: gone"));
    expect(log().toSorted()).toEqual(["kill a", "kill b", "kill gone"]);
  });

  test("brings back what isn't up, from whatever state", async () => {
    const containers = ["running", "paused", "exited"];
    expect(await bringBack(here(...containers))).toEqual([]);
    expect(log().toSorted()).toEqual([
      "inspect exited",
      "inspect paused",
      "inspect running",
      "start exited",
      "unpause paused",
    ]);
  });

  test("tries three times, and says what can't be brought back", async () => {
    expect(await bringBack(here("broken", "exited", "gone"))).toEqual([
      "broken could not be brought back: no space left on device",
      "gone could not be brought back: No such container: gone",
    ]);
    expect(log().filter((line) => line === "start broken")).toHaveLength(3);
  });
});
