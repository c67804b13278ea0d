import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  authorityLifecycle,
  type CertificateArgs,
  certificateLifecycle,
  type Issued,
  type IssuerLifecycle,
} from "../../../providers/certificates/certificate-lifecycles.ts";
import { UNKNOWN } from "../../../providers/process/unknown.ts";

const START = Date.parse("2026-11-26T08:00:00Z");
const DAY = 86_400_000;

/** What the engine does for an `up`, with a state of its own. */
class Engine<Args extends object> {
  state: Issued<Args> | undefined;
  readonly #lifecycle: IssuerLifecycle<Args>;

  constructor(lifecycle: IssuerLifecycle<Args>) {
    this.#lifecycle = lifecycle;
  }

  /** Whether anything changed. */
  async up(args: Args): Promise<boolean> {
    const { state } = this;
    const inputs = await this.checked(args);
    if (!state) {
      this.state = (await this.#lifecycle.create(inputs)).outs;
      return true;
    }
    const { changes } = await this.#lifecycle.diff("id", state, inputs);
    if (changes) this.state = (await this.#lifecycle.update("id", state, inputs)).outs;
    return changes === true;
  }

  /** Whether a preview says that it changes. */
  async preview(args: Args): Promise<boolean> {
    const inputs = await this.checked(args);
    return (await this.#lifecycle.diff("id", this.issued, inputs)).changes === true;
  }

  /** What the engine has of the program's arguments once they are checked, and a saved plan goes by. */
  async checked(args: Args): Promise<Args> {
    return (await this.#lifecycle.check(inputsOf(this.state), args)).inputs;
  }

  get issued(): Issued<Args> {
    if (!this.state) throw new Error("nothing was issued yet");
    return this.state;
  }
}

/** Certificates and keys are outputs: `check` never sees them. */
function inputsOf<Args extends object>(state: Issued<Args> | undefined): object {
  if (!state) return {};
  const { certificate: _, key: __, ...inputs } = state;
  return inputs;
}

/** An authority and a certificate at a time that goes by as the test says. */
async function setUp() {
  const clock = { now: START };
  const said: string[] = [];
  const authority = new Engine(authorityLifecycle(() => clock.now));
  const node = new Engine(
    certificateLifecycle(
      () => clock.now,
      (line) => said.push(line),
    ),
  );
  const argsWith = (key: string): CertificateArgs => ({
    node: "rg1-az1",
    names: ["rg1-az1", "localhost", "127.0.0.1"],
    lifetime: "365d",
    authority: { name: "stack", key },
  });
  const up = async (changes: Partial<CertificateArgs> = {}) => {
    const authorityChanged = await authority.up({ name: "stack" });
    const args = argsWith(authority.issued.key);
    return { authority: authorityChanged, node: await node.up({ ...args, ...changes }) };
  };
  /** What is to be made or changed is not known to a preview, nor is anything that it yields. */
  const preview = async (changes: Partial<CertificateArgs> = {}) => {
    const authorityChanges = await authority.preview({ name: "stack" });
    const args = argsWith(authorityChanges ? UNKNOWN : authority.issued.key);
    return { authority: authorityChanges, node: await node.preview({ ...args, ...changes }) };
  };
  await up();
  return { clock, said, authority, node, up, preview };
}

const read = ({ certificate }: { certificate: string }) => new X509Certificate(certificate);
const NOTHING = { authority: false, node: false };

describe("a stack's certificates", () => {
  test("are good for servers and clients, by the node's names, for as long as they should be", async () => {
    const { authority, node } = await setUp();
    const [root, leaf] = [read(authority.issued), read(node.issued)];
    expect([root.ca, leaf.ca]).toEqual([true, false]);
    expect(leaf.verify(root.publicKey) && leaf.checkIssued(root)).toBe(true);
    expect(leaf.subjectAltName).toBe("DNS:rg1-az1, DNS:localhost, IP Address:127.0.0.1");
    expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    expect(leaf.validToDate.getTime()).toBe(START + 365 * DAY);
    expect(leaf.validToDate.toISOString()).toBe(new Date(node.issued.validUntil).toISOString());
    expect(root.validToDate.getTime()).toBe(START + 3650 * DAY);
  });

  test("stay as they are until they are due", async () => {
    const { clock, node, said, up } = await setUp();
    expect(await up()).toEqual(NOTHING);
    clock.now = START + 334 * DAY;
    expect(await up()).toEqual(NOTHING);
    const before = read(node.issued);
    clock.now = START + 336 * DAY;
    expect(await up()).toEqual({ authority: false, node: true });
    expect(read(node.issued).validToDate.getTime()).toBe(clock.now + 365 * DAY);
    expect(read(node.issued).publicKey.equals(before.publicKey)).toBe(false);
    expect(await up()).toEqual(NOTHING);
    expect(said).toEqual([]);
  });

  test("are renewed when it is too late, too, which is told", async () => {
    const { clock, said, up } = await setUp();
    clock.now = START + 400 * DAY;
    expect(await up()).toEqual({ authority: false, node: true });
    expect(said).toEqual(["the certificate of rg1-az1 has expired; this up renews it"]);
  });

  test.each<[string, Partial<CertificateArgs>]>([
    ["other names", { names: ["rg1-az1", "10.0.0.5"] }],
    ["another lifetime", { lifetime: "30d" }],
  ])("are made anew for %s", async (_, changes) => {
    const { node, up } = await setUp();
    const before = read(node.issued).serialNumber;
    expect(await up(changes)).toEqual({ authority: false, node: true });
    expect(read(node.issued).serialNumber).not.toBe(before);
    expect(await up(changes)).toEqual(NOTHING);
  });

  test("have inputs that no time is in, so that a saved plan can be kept", async () => {
    const { clock, authority, node } = await setUp();
    const { key } = authority.issued;
    const args = { node: "rg1-az2", names: ["rg1-az2"], lifetime: "365d" };
    const checked = () =>
      Promise.all([
        new Engine(authorityLifecycle(() => clock.now)).checked({ name: "stack" }),
        authority.checked({ name: "stack" }),
        node.checked({ ...args, authority: { name: "stack", key } }),
      ]);
    const before = await checked();
    clock.now += 5_000;
    expect(await checked()).toEqual(before);
    clock.now += 5 * 365 * DAY;
    expect(await checked()).toEqual(before);
  });

  test("stay as they are where their names come in another order", async () => {
    const { up } = await setUp();
    expect(await up({ names: ["localhost", "127.0.0.1", "rg1-az1"] })).toEqual(NOTHING);
  });

  test("survive their authority's renewal, as that keeps its key", async () => {
    const { clock, authority, node, up } = await setUp();
    const [old, signedBefore] = [read(authority.issued), read(node.issued)];
    for (let years = 1; years <= 8; years++) {
      clock.now = START + years * 340 * DAY;
      await up();
    }
    const renewed = read(authority.issued);
    expect(renewed.serialNumber).not.toBe(old.serialNumber);
    expect(renewed.validToDate.getTime()).toBeGreaterThan(START + 3650 * DAY);
    for (const root of [old, renewed]) {
      for (const leaf of [signedBefore, read(node.issued)]) {
        expect(leaf.checkIssued(root) && leaf.verify(root.publicKey)).toBe(true);
      }
    }
  });

  test("aren't said to change where their authority is renewed, but where they do", async () => {
    const { clock, up, preview } = await setUp();
    const step = 115 * DAY;
    let renewed = 0;
    for (clock.now = START; clock.now < START + 20 * 365 * DAY; clock.now += step) {
      const previewed = await preview();
      expect(await preview({ names: ["other"] })).toMatchObject({ node: true });
      expect(await preview({ authority: { name: "other", key: UNKNOWN } })).toMatchObject({
        node: true,
      });
      expect(await up()).toEqual(previewed);
      if (previewed.authority) renewed += 1;
    }
    expect(renewed).toBeGreaterThan(1);
  });
});
