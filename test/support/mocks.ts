import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";

/** A resource as it was registered. */
export interface Recorded {
  readonly type: string;
  readonly name: string;
  /** With secrets as plain values. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Without secrets. */
  readonly plainInputs: unknown;
  /** Names of the resources that it depends on. */
  readonly dependencies: readonly string[];
  /** Names of the resources that were made by then. */
  readonly made: readonly string[];
  /** Name of its provider; absent if it has none of its own. */
  readonly provider?: string;
}

export interface Recorder {
  /** All resources, once this many have been registered. */
  settled(count: number): Promise<readonly Recorded[]>;
}

const SECRET_SIGNATURE = pulumi.runtime.specialSecretSig;
const SIGNATURE_KEY = pulumi.runtime.specialSigKey;

type Answer = (error: Error | null, response: object) => void;

interface Registration {
  getName(): string;
  /** URNs. */
  getDependenciesList(): readonly string[];
  /** URN and id; empty for a default provider. */
  getProvider(): string;
}

/** What mocks aren't told, by the name of the resource. */
const untold = new Map<string, Pick<Recorded, "dependencies" | "provider">>();

const { registerResource } = MockMonitor.prototype;

// The SDK's mock of Pulumi's monitor doesn't support hooks, and doesn't tell mocks of dependencies and providers (3.259).
Object.assign(MockMonitor.prototype, {
  registerResourceHook: (_request: unknown, answer: Answer) => answer(null, {}),
  registerResource(this: MockMonitor, request: Registration, answer: Answer) {
    const [, provider] = request.getProvider().match(/::([^:]+)::[^:]*$/) ?? [];
    untold.set(request.getName(), {
      dependencies: request.getDependenciesList().map((urn) => urn.replace(/.*::/, "")),
      ...(provider === undefined ? {} : { provider }),
    });
    return registerResource.call(this, request, answer);
  },
});

/** Replaces Pulumi by a recorder. It shows what a program registers, not what a provider does with it. */
export async function recordResources(): Promise<Recorder> {
  const recorded: Recorded[] = [];
  const made: string[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: async ({ type, name, inputs }) => {
        const given = { inputs: open(inputs), plainInputs: close(inputs), made: [...made] };
        recorded.push({ type, name, ...given, dependencies: [], ...untold.get(name) });
        // A container takes a while, so that it shows who waits for it.
        if (type.endsWith(":Container")) await sleep(1);
        made.push(name);
        return { id: `${name}-id`, state: inputs };
      },
      call: ({ inputs }) => inputs,
    },
    "nats-regions",
    "dev",
  );
  return {
    async settled(count) {
      const deadline = Date.now() + 20_000;
      while (recorded.length < count) {
        if (Date.now() > deadline) throw new Error(`${recorded.length} of ${count} resources`);
        await sleep(10);
      }
      return recorded;
    },
  };
}

function isSecret(value: unknown): value is { value: unknown } {
  return (
    typeof value === "object" &&
    value !== null &&
    (value as Record<string, unknown>)[SIGNATURE_KEY] === SECRET_SIGNATURE
  );
}

function open(value: unknown): Record<string, unknown> {
  return replaceSecrets(value, (secret) => secret) as Record<string, unknown>;
}

function close(value: unknown): unknown {
  return replaceSecrets(value, () => "[secret]");
}

function replaceSecrets(value: unknown, replace: (secret: unknown) => unknown): unknown {
  if (isSecret(value)) return replace(value.value);
  if (Array.isArray(value)) return value.map((item) => replaceSecrets(item, replace));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, replaceSecrets(item, replace)]),
  );
}
