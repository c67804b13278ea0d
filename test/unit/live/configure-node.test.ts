import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { packFirstTerm } from "../../../lib/nodes/first-term.ts";
import { packNodeFiles } from "../../../lib/nodes/node-files.ts";

/** An engine with one volume, a folder; nothing runs on it. */
const DOCKER = `#!/bin/sh
case "$1 $2 $3" in
"cp --archive -") tar -x -C "$VOLUMES" --no-same-owner ;;
"cp node-writer:"*" -") tar -c -C "$VOLUMES" ".\${2#*:}" ;;
"cp "*) cp -f "$2" "$VOLUMES/\${3#*:}" ;;
esac
`;

describe("the script that writes a node's config", () => {
  let folder: string;
  const fileOf = (name: string) => path.join(folder, "volumes/etc/nats", name);

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "configure-node-"));
    mkdirSync(path.dirname(fileOf("")), { recursive: true });
    mkdirSync(path.join(folder, "bin"));
    writeFileSync(path.join(folder, "bin/docker"), DOCKER, { mode: 0o755 });
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  const configure = async (
    restartSettings: object,
    others: Record<string, string>,
    { args = ["--test"], ...variables }: { args?: string[]; FIRST_TERM?: string } = {},
  ) => {
    await execa("sh", ["live/engine/configure-node.sh", ...args], {
      input: packNodeFiles("conf", "accounts", others),
      env: {
        ...variables,
        PATH: `${path.join(folder, "bin")}:${process.env.PATH}`,
        VOLUMES: path.join(folder, "volumes"),
        TMPDIR: folder,
        CONTAINER: "node",
        CONFIG_VOLUME: "config",
        DATA_VOLUME: "data",
        IMAGE: "nats",
        OWNER: "owner=test",
        RESTART_SETTINGS: JSON.stringify(restartSettings),
      },
    });
  };

  test("leaves no key with a node that has no TLS any more, and writes none where there was none", async () => {
    await configure({ memory: 1 }, {});
    expect(readFileSync(fileOf("nats.conf"), "utf8")).toBe("conf");
    expect(existsSync(fileOf("key.pem"))).toBe(false);

    await configure({ memory: 1, tls: "stack" }, { "key.pem": "zebra" });
    expect(readFileSync(fileOf("key.pem"), "utf8")).toBe("zebra");
    await configure({ memory: 1 }, {});
    expect(readFileSync(fileOf("key.pem"), "utf8")).toBe("");
    await configure({ memory: 1, tls: "files" }, { "key.pem": "another" });
    expect(readFileSync(fileOf("key.pem"), "utf8")).toBe("another");
  });

  test("gives the first leader of a new cluster its term, and a server that has voted none", async () => {
    const first = { args: [], FIRST_TERM: packFirstTerm() };
    const metaGroup = path.join(folder, "volumes/data/jetstream/$SYS/_js_/_meta_");
    const term = path.join(metaGroup, "tav.idx");
    await configure({ memory: 1 }, {}, { args: [] });
    expect(existsSync(metaGroup)).toBe(false);

    await configure({ memory: 1 }, {}, first);
    expect(readFileSync(term).readBigUInt64LE()).toBe(1_000n);

    writeFileSync(term, "voted", { mode: 0o640 });
    await configure({ memory: 1 }, {}, first);
    expect(readFileSync(term, "utf8")).toBe("voted");
  });
});
