/** What a decision rests on. */
export interface Facts {
  /** What comes after `pulumi` on the command line. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** The user's home folder. */
  readonly userHome: string;
  /** The folder of Pulumi.yaml, free of symbolic links. */
  readonly project: string;
  /** Reads a file as text, or returns undefined where there is none. */
  readonly read: (file: string) => string | undefined;
  readonly exists: (file: string) => boolean;
}

export interface Decision {
  /** Variables to add to the environment. */
  readonly set: Readonly<Record<string, string>>;
  /** The stack to create first: the backend doesn't have it yet. */
  readonly createStack: string | undefined;
  /** The stack that is meant, without its organization. */
  readonly stack: string;
  readonly projectName: string;
  /** Why the command can't be run, and the way out. */
  readonly refusal: string | undefined;
}

/** The engine to name to all; nothing where everybody finds the same one. */
export interface ChosenEngine {
  readonly host?: string | undefined;
  /** Empty: none, whatever the environment says. */
  readonly context?: string | undefined;
  readonly refusal?: string;
}

/** What is looked for in JSON files of Pulumi and docker. */
export interface Known {
  /** Of `credentials.json`: the backend of the last `pulumi login`. */
  readonly current?: string;
  /** Of a workspace: the selected stack by backend, and as it was kept before there were several. */
  readonly stacks?: Readonly<Record<string, string>>;
  readonly stack?: string;
  /** Of docker's `config.json`. */
  readonly currentContext?: string;
  /** Of a docker context. */
  readonly Endpoints?: {
    readonly docker?: { readonly Host?: string; readonly SkipTLSVerify?: boolean };
  };
}
