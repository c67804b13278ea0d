import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import type { Roster, RosterNote } from "../../lib/update/remembered-streams.ts";

/** Keeps the newest {@link RosterNote}, where a killed `up` leaves it. */
export interface RosterNotes {
  /** Undefined if there is none. */
  read(): RosterNote | undefined;
  write(note: RosterNote): void;
  /** Whether Pulumi writes the state only when the `up` ends, so that each `up` needs a note. */
  areAllThereIs(): boolean;
}

const consumer = z.object({ allowDataLoss: z.literal(true).exactOptional() });

const entry = z.object({
  allowDataLoss: z.literal(true).exactOptional(),
  account: z.string().exactOptional(),
  stream: z.string().exactOptional(),
  created: z.string().exactOptional(),
  consumers: z.record(z.string(), consumer).exactOptional(),
});
const entries = z.record(z.string(), entry);
const texts = z.record(z.string(), z.string());

const roster: z.ZodType<Roster> = z.object({
  account: z.string(),
  firstIsOff: z.literal(true).exactOptional(),
  otherAccounts: z.array(z.string()).exactOptional(),
  streams: entries,
  leaving: entries.exactOptional(),
  begun: texts.exactOptional(),
  renamed: texts.exactOptional(),
  orphans: entries.exactOptional(),
});

const noteSchema: z.ZodType<RosterNote> = z.object({
  from: roster.exactOptional(),
  to: roster,
  at: z.string(),
});

/** The file that `npx pulumi` names, beside the state. Without one, nothing is noted. */
export const rosterNotes: RosterNotes = {
  read() {
    const file = process.env.NATS_REGIONS_ROSTER_NOTE;
    return file === undefined ? undefined : readNote(file);
  },
  write(note) {
    const file = process.env.NATS_REGIONS_ROSTER_NOTE;
    if (file === undefined) return;
    const draft = `${file}.${process.pid}.draft`;
    writeFileSync(draft, JSON.stringify(note), { mode: 0o600, flush: true });
    renameSync(draft, file);
  },
  areAllThereIs() {
    // As the CLI reads it.
    return /^(1|true)$/i.test(process.env.PULUMI_SKIP_CHECKPOINTS ?? "");
  },
};

function readNote(file: string): RosterNote | undefined {
  try {
    return noteSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Error(
      `${file} can't be read: ${error instanceof Error ? error.message : error}; it tells which streams a killed up has made`,
      { cause: error },
    );
  }
}
