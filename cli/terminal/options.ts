interface Options {
  readonly stack: string;
  readonly json: boolean;
  readonly yes: boolean;
  readonly allowDataLoss: boolean;
}

/** What a command was given of the options that it has, as cli/commands.ts reads them. */
export type Given<Names extends keyof Options> = {
  readonly [Name in Names]?: Options[Name] | undefined;
};
