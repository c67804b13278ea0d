/** The folder of Pulumi.yaml: the nearest one upwards from this package. */
export const project: string;

/** What is pinned: see tools/toolchain/versions.json. */
export const versions: {
  readonly pulumi: string;
  readonly dockerPlugin: string;
  readonly commandPlugin: string;
  readonly natsServer: string;
  readonly natsCli: string;
};

/** Where the pinned CLI lies, as Pulumi's own installers have it. */
export function pinnedCli(env: NodeJS.ProcessEnv): string;

/** The CLI to use: the pinned one, else one on PATH; undefined where there is neither. */
export function findCli(env: NodeJS.ProcessEnv): string | undefined;

/** A `pulumi` on PATH that is not this package's own. */
export function cliOnPath(env: NodeJS.ProcessEnv): string | undefined;

/**
 * The environment that a Pulumi command of this project runs in, and the stack to create first if the
 * backend doesn't have it. Creates the folder of the state, its id and the passphrase if they are needed,
 * and puts right what a killed command, or a full disk, left of the state.
 */
export function pulumiEnvironment(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): {
  env: NodeJS.ProcessEnv;
  createStack: string | undefined;
  /** Why the command can't be run, and the way out. */
  refusal: string | undefined;
};

/** The stack that commands mean that name none. Asks nobody and touches nothing. */
export function standardStack(env: NodeJS.ProcessEnv): string;

/**
 * The id of the state in a folder, made at first use. It moves along with the state, so that a checkout that
 * was moved still knows what its stacks made on an engine.
 */
export function stateId(folder: string): string;
