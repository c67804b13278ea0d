import * as pulumi from "@pulumi/pulumi";

/**
 * Whether the SDK's mocks stand for Pulumi, as in unit tests of programs: there is no state then, nothing is to be asked
 * of an engine, and what is planned is a new cluster.
 */
export function isMocked(): boolean {
  return "mocks" in (pulumi.runtime.getMonitor() ?? {});
}

/** Lets hooks be registered where the SDK's mocks (3.259) say that they could be, and have nothing for it. */
export function mockHooks(): void {
  const monitor = pulumi.runtime.getMonitor();
  if (!monitor || "registerResourceHook" in monitor) return;
  const register = (_hook: unknown, answer: (error: null, response: object) => void) =>
    answer(null, {});
  Object.assign(monitor, { registerResourceHook: register });
}

/** The stack's organization; mocks needn't have one. */
export function organizationOfRun(): string {
  return isMocked() ? "organization" : pulumi.getOrganization();
}
