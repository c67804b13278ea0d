import { homedir } from "node:os";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { engineAt, engineFromEnvironment, formerEngineAt } from "../../../live/engine/engine.ts";
import {
  enginesFromEnvironment,
  enginesVariable,
  formerEnginesVariable,
} from "../../../live/engine/told-engines.ts";

const PLACES = ["rg1", "rg2", "rg3"].map((key, index) => ({
  key,
  host: `ssh://m${index}`,
  address: `10.0.${index}.5`,
  ssh: index === 1 ? ["Port=2222"] : [],
}));
const [RG1, RG2, RG3] = PLACES as [(typeof PLACES)[0], (typeof PLACES)[0], (typeof PLACES)[0]];

beforeEach(() => vi.stubEnv("DOCKER_HOST", "ssh://elsewhere"));
afterEach(() => vi.unstubAllEnvs());

/** What a script finds that is told of engines. */
const tell = (engines: Parameters<typeof enginesVariable>[0]) =>
  enginesFromEnvironment({ ...enginesVariable(engines), ...formerEnginesVariable(engines) });

describe("scripts are told of engines", () => {
  test("by what they need to reach them", () => {
    const told = tell([engineAt(RG1), engineAt(RG2)]);
    expect(told.map(({ place }) => place)).toEqual([RG1, RG2]);
    expect(told.map(({ host }) => host)).toEqual(["ssh://m0", "ssh://m1"]);
    expect(told.some(({ isFormer }) => isFormer)).toBe(false);
  });

  test("and apart from them of those that the settings no longer have", () => {
    const engines = [engineAt(RG1), formerEngineAt(RG3)];
    expect(JSON.parse(enginesVariable(engines).ENGINES ?? "")).toEqual([RG1]);
    const told = tell(engines);
    expect(told.map(({ key, isFormer }) => [key, isFormer])).toEqual([
      ["rg1", false],
      ["rg3 (former)", true],
    ]);
    // Whoever tells of them once more calls them the same.
    expect(tell(told).map(({ place }) => place)).toEqual(told.map(({ place }) => place));
  });

  test("by nothing where the environment chooses the only one", () => {
    const engines = [engineFromEnvironment()];
    expect(enginesVariable(engines)).toEqual({});
    expect(formerEnginesVariable(engines)).toEqual({ FORMER_ENGINES: undefined });
    expect(enginesFromEnvironment({}).map(({ key, host }) => [key, host])).toEqual([
      ["", "ssh://elsewhere"],
    ]);
  });

  test("by the folder of certificates, and by nothing of what is in it", () => {
    const host = "tcp://m1:2376";
    const place = { key: "rg1", host, address: "m1", ssh: [], certPath: "~/certificates" };
    const [engine] = tell([engineAt(place)]);
    expect(engine?.place).toEqual(place);
    expect(engine?.environment()).toMatchObject({
      DOCKER_HOST: host,
      DOCKER_TLS_VERIFY: "1",
      DOCKER_CERT_PATH: `${homedir()}/certificates`,
    });
  });

  test("and refuse what isn't that", () => {
    expect(() => enginesFromEnvironment({ ENGINES: '[{"key":"rg1"}]' })).toThrow("host");
  });
});
