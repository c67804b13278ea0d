/** The test files that break things, each a part of `npm run chaos`. */
export const CHAOS_FILES = [
  "traffic/rollout",
  "traffic/killed-rollout",
  "traffic/resize",
  "traffic/shrink",
  "traffic/killed-shrink",
  "traffic/upgrade",
  "traffic/faults",
  "traffic/power-loss",
  "traffic/engine-restart",
  "traffic/machines-faults",
  "stack/gates",
  "stack/interrupted",
  "traffic/cold-start",
  "traffic/tls",
  "server/under-load",
  "server/consumer-moves",
  "server/recreate",
  "server/placement",
  "server/fuzzed-settings",
];

/** The part's name, e.g. `rollout` for `traffic/rollout`. */
export function partOf(file: string): string {
  return file.slice(file.indexOf("/") + 1);
}
