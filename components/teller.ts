import * as pulumi from "@pulumi/pulumi";

/** Tells the person at the terminal what there is to know, a sentence at a time. */
export interface Teller {
  readonly info: (line: string) => void;
  /** Where there is something to do. */
  readonly warn: (line: string) => void;
}

/** @param about what it is said of, where there may be several; else it is said of the stack. */
export function tellerOf(about?: pulumi.Resource): Teller {
  const whom = about ? [about] : [];
  return {
    info: (line) => void pulumi.log.info(line, ...whom),
    warn: (line) => void pulumi.log.warn(line, ...whom),
  };
}
