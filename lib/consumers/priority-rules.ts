import type { Problem } from "../base/errors.ts";
import { refuse } from "../base/rules.ts";
import type { ConsumerConfig } from "./consumer-fields.ts";

/** `validGroupName` in nats-server's server/consumer.go. */
const GROUP_NAME = /^[a-zA-Z0-9/_=-]{1,16}$/;

/** Reports groups of pull clients that are not served by any policy, or a policy without groups. */
export function checkPriority(config: ConsumerConfig): Problem[] {
  const { priority_policy: policy = "none", priority_groups: groups = [] } = config;
  const { priority_timeout: timeout = 0 } = config;
  if (policy === "none") {
    const wayOut = "set priorityPolicy, or remove it";
    return [
      ...refuse(groups.length > 0, "priorityGroups", "nothing says what they are for", wayOut),
      ...refuse(timeout > 0, "priorityTimeout", "nothing says what it is for", wayOut),
    ];
  }
  return [
    ...refuse(groups.length === 0, "priorityGroups", `is missing: priorityPolicy is ${policy}`),
    ...groups
      .filter((group) => !GROUP_NAME.test(group))
      .flatMap((group) =>
        refuse(
          true,
          "priorityGroups",
          `"${group}" can't name a group`,
          "use at most 16 letters, digits, / _ = -",
        ),
      ),
  ];
}
