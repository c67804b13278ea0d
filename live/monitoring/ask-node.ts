import type { Question } from "../../lib/observed/questions.ts";
import type { Monitor } from "./monitor.ts";
import { readPageAsShown } from "./monitoring-page.ts";
import { type Answer, askSystemAccount } from "./system-account.ts";

/** Milliseconds for answers on which nothing depends but a look. */
export const REQUEST_MS = 2_000;
/** For answers with all streams, which a busy node takes long to produce and whose content matters more than speed. */
export const LONG_REQUEST_MS = 15_000;

/** Asks a node; see {@link askAsShown}. */
export async function askNode(
  node: Monitor,
  question: Question,
  milliseconds = REQUEST_MS,
): Promise<unknown> {
  return (await askAsShown(node, question, milliseconds)).page;
}

/**
 * Asks a node by the system account, and by its monitoring port if its servers don't know the login: those of an
 * earlier version have no such user.
 *
 * @throws Error if there is no trusted answer within `milliseconds`.
 */
export async function askAsShown(
  node: Monitor,
  question: Question,
  milliseconds: number,
): Promise<Answer> {
  const { name, address, seed, url } = node;
  if (address !== undefined && seed !== undefined) {
    const asked = askSystemAccount({ ...node, address, seed }, question, milliseconds);
    if (url === undefined) return await asked;
    const answer = await asked.catch(() => undefined);
    if (answer) return answer;
  }
  if (url === undefined) throw new Error(`${name} doesn't run, or nobody knows how to ask it`);
  const { text, ...shown } = await readPageAsShown({ ...node, url }, question.page, milliseconds);
  return { page: JSON.parse(text) as unknown, ...shown };
}
