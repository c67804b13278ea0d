import * as pulumi from "@pulumi/pulumi";

/**
 * Whether the SDK's mocks replace Pulumi, as in unit tests of programs. Then there is no state, no engine is asked, and
 * the cluster is planned as a new one.
 */
export function isMocked(): boolean {
  return "mocks" in (pulumi.runtime.getMonitor() ?? {});
}

/** Makes registering hooks work with mocks: the SDK's mocks (3.259) claim to support hooks, but lack the method. */
export function mockHooks(): void {
  const monitor = pulumi.runtime.getMonitor();
  if (!monitor || "registerResourceHook" in monitor) return;
  const register = (_hook: unknown, answer: (error: null, response: object) => void) =>
    answer(null, {});
  Object.assign(monitor, { registerResourceHook: register });
}

/** The stack's organization. With mocks there may be none. */
export function organizationOfRun(): string {
  return isMocked() ? "organization" : pulumi.getOrganization();
}
