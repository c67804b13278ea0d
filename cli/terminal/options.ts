interface Options {
  readonly stack: string;
  readonly json: boolean;
  readonly yes: boolean;
  readonly allowDataLoss: boolean;
}

/** The values of a command's options, as cli/commands.ts parses them. */
export type Given<Names extends keyof Options> = {
  readonly [Name in Names]?: Options[Name] | undefined;
};
