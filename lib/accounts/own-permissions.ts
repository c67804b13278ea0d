/** What the stack's own users may do. */
import type { Permissions } from "./account-settings.ts";

/**
 * The stack's own users manage streams, and need nothing but JetStream's API, and the subjects of what they write.
 *
 * @param written the subjects of buckets whose entries the settings have.
 */
export function managerPermissions(written: readonly string[] = []): Permissions {
  return {
    publish: { allow: ["$JS.API.>", ...written] },
    subscribe: { allow: ["_INBOX.>"] },
  };
}

/** What servers may be asked by the system account: the last token of the subject. */
export const MONITOR_SUBJECTS = [
  "VARZ",
  "JSZ",
  "HEALTHZ",
  "STATSZ",
  "ROUTEZ",
  "SUBSZ",
  "ACCOUNTZ",
] as const;

/** The stack's own user of the system account asks servers what they know of themselves, and may do nothing else. */
export const MONITOR_PERMISSIONS: Permissions = {
  publish: { allow: MONITOR_SUBJECTS.map((subject) => `$SYS.REQ.SERVER.PING.${subject}`) },
  subscribe: { allow: ["_INBOX.>"] },
};

/**
 * The stack's own user of the system account that takes nodes out of the meta group may do nothing else, but have the group
 * elect a leader where its majority is lost.
 */
export const REMOVER_PERMISSIONS: Permissions = {
  publish: {
    allow: ["$JS.API.SERVER.EVACUATE", "$JS.API.SERVER.REMOVE", "$JS.API.META.RESCUE"],
  },
  subscribe: { allow: ["_INBOX.>"] },
};
