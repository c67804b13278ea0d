/** Rules for the consumers of a work queue: each of its messages goes to one consumer, and goes once that one has it. */
import type { Problem } from "../base/errors.ts";
import { refuse } from "../base/rules.ts";
import type { StreamConfig } from "../streams/stream-fields.ts";
import { subjectsOverlap } from "../streams/subjects.ts";
import type { ConsumerConfig } from "./consumer-fields.ts";

/** Reports what a consumer of a work queue can't have (errors 10098 and 10101). */
export function checkWorkQueue(
  config: ConsumerConfig,
  { stream: { retention } }: { readonly stream: Pick<StreamConfig, "retention"> },
): Problem[] {
  if (retention !== "workqueue" || config.sourcing) return [];
  const { ack_policy: acks = "explicit", deliver_policy: policy = "all" } = config;
  return [
    ...refuse(
      acks !== "explicit" && acks !== "flow_control",
      "ackPolicy",
      `${acks} is not for a work queue, whose messages go as each is acknowledged`,
      "use explicit",
    ),
    ...refuse(
      policy !== "all",
      "deliverPolicy",
      `${policy} would leave messages in the work queue for ever`,
      "use all",
    ),
  ];
}

/**
 * Reports consumers of a work queue that would take the same messages: the server refuses that (errors 10099 and 10100).
 *
 * @returns each problem with the name of its consumer.
 */
export function findRivals(
  consumers: readonly ConsumerConfig[],
  { retention }: Pick<StreamConfig, "retention">,
): readonly { readonly name: string; readonly problem: Problem }[] {
  if (retention !== "workqueue") return [];
  const claims = consumers
    .filter(({ sourcing }) => !sourcing)
    .map(({ name, filter_subject: one = "", filter_subjects: several = [] }) => {
      const filters = one === "" ? several : [...several, one];
      return { name, filters: filters.length > 0 ? filters : [">"] };
    });
  return claims.flatMap(({ name, filters }, index) => {
    const rival = claims
      .slice(0, index)
      .find((other) => other.filters.some((a) => filters.some((b) => subjectsOverlap(a, b))));
    if (!rival) return [];
    const problem = {
      path: "filterSubjects",
      message: `takes messages that ${rival.name} takes, too, and each of a work queue's goes to one consumer`,
      fix: "give them filterSubjects that have nothing in common",
    };
    return [{ name, problem }];
  });
}
