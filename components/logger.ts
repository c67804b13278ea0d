import * as pulumi from "@pulumi/pulumi";

/** Logs messages for the user, one sentence at a time. */
export interface Logger {
  readonly info: (line: string) => void;
  /** For messages that ask for an action. */
  readonly warn: (line: string) => void;
}

/** @param about the resource that the messages are about; default: the stack. */
export function loggerOf(about?: pulumi.Resource): Logger {
  const whom = about ? [about] : [];
  return {
    info: (line) => void pulumi.log.info(line, ...whom),
    warn: (line) => void pulumi.log.warn(line, ...whom),
  };
}
