/** The stack that is meant where none is named or selected. */
export const DEFAULT_STACK: "dev";

/** Where Pulumi keeps its CLIs, plugins and credentials. */
export function pulumiHome(env: NodeJS.ProcessEnv, userHome: string): string;

/** Where state is kept unless the user has another backend. */
export function stateFolder(project: string): string;

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
  /** Why the command can't be run, and the way out. */
  readonly refusal: string | undefined;
}

/**
 * Decides with which backend, stack, passphrase and Docker engine a Pulumi command runs. What the user has
 * set always stands; the rest is chosen so that a fresh clone works without a login or a question.
 */
export function decide(facts: Facts): Decision;

/** The stack that `PULUMI_STACK` or `pulumi stack select` has chosen for this project, if any. */
export function selectedStack(facts: Omit<Facts, "args" | "exists">): string | undefined;
