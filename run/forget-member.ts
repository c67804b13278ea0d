import { peerId } from "../lib/observed/meta-group.ts";
import { ERROR_CODES, JetStreamError, type MetaGroupPort } from "../live/jetstream/jetstream.ts";

/** Takes a node out of the meta group, for good. One that isn't a member any more is fine. */
export async function forgetMember(name: string, metaGroup: MetaGroupPort): Promise<void> {
  try {
    await metaGroup.remove(peerId(name));
  } catch (error) {
    // The answer to an earlier attempt may have been lost.
    const isGone = error instanceof JetStreamError && error.code === ERROR_CODES.notAMember;
    if (!isGone) throw error;
  }
}
