import { afterEach, beforeEach, expect, test } from "vitest";
import { refuseWithoutIpv6 } from "../../../components/preflight/engine-ipv6.ts";
import { engineFromEnvironment } from "../../../live/engine/engine.ts";
import { FakeCommands } from "../../support/fake-commands.ts";

const PLAN = { prefix: "nats-regions-dev", ipv6Subnet: "fd12:3456:789a:bcde::/64" };
const engine = engineFromEnvironment();

let commands: FakeCommands;

beforeEach(() => {
  commands = new FakeCommands("docker");
});

afterEach(() => commands[Symbol.dispose]());

test.each([
  ["20.10.24+dfsg1", true],
  ["27.0.0", false],
  ["28.2.2", false],
])(
  "Docker %s, experimental: %s, gives containers a way to IPv6",
  async (version, isExperimental) => {
    commands.answer("docker", "version", [{ version, isExperimental }]);
    await expect(refuseWithoutIpv6([engine], [], PLAN)).resolves.toBeUndefined();
  },
);

test.each(["20.10.24+dfsg1", "26.1.4"])(
  "Docker %s gives it none, unless told to",
  async (version) => {
    commands.answer("docker", "version", [{ version, isExperimental: false }]);
    await expect(refuseWithoutIpv6([engine], [], PLAN)).rejects.toThrow(
      /nodes would not reach from their containers:\n.*without ip6tables\nUse Docker 27 or newer/,
    );
    const { ipv6Subnet: _, ...without } = PLAN;
    await expect(refuseWithoutIpv6([engine], [], without)).resolves.toBeUndefined();
  },
);

test("a network that was made without IPv6 is refused, and no other's", async () => {
  commands.answer("docker", "version", [{ version: "28.2.2", isExperimental: false }]);
  const found = { name: PLAN.prefix, owner: "one", engine, hasIpv6: false };
  const refused = refuseWithoutIpv6([engine], [found], PLAN);
  await expect(refused).rejects.toThrow("was made without IPv6, which it can't get");
  const others = [
    { ...found, hasIpv6: true },
    { ...found, name: `${PLAN.prefix}-2` },
  ];
  await expect(refuseWithoutIpv6([engine], others, PLAN)).resolves.toBeUndefined();
});
