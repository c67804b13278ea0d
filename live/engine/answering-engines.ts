import { DockerError, type Engine } from "./engine.ts";
import { knownSilence } from "./known-silence.ts";
import { whyNobodyIsThere } from "./nobody-there.ts";
import { wordsOfSsh } from "./ssh/words-of-ssh.ts";

/** Which engines answer. */
export interface Answers {
  readonly answering: readonly Engine[];
  /** Why the others don't, by their keys. */
  readonly silent: ReadonlyMap<string, string>;
}

/** An engine can't be reached as it is set up, or as its machine is: that doesn't pass by itself. */
export class EngineRefuses extends Error {
  override readonly name = "EngineRefuses";
}

/** What ssh and docker say (OpenSSH 9, Docker 20.10 to 28), and what to do about it. */
const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [
    /Host key verification failed|IDENTIFICATION HAS CHANGED/,
    "its host key isn't known, or isn't the one that is: compare it with the machine's own, and log in by ssh once; after `ssh-keygen -R HOST` where the machine was set up anew",
  ],
  [
    /Permission denied \(/,
    "it takes none of the keys of ssh: put a public one into the user's authorized_keys there",
  ],
  [
    /permission denied while trying to connect to the docker|docker\S*: connect: permission denied/i,
    "the user may not use Docker there: put it into the group docker",
  ],
  [/docker: (command )?not found/, "it has no docker"],
  [
    /malformed HTTP/,
    "what answers there isn't docker: its sshd forces another command on the user (`ForceCommand`, `command=` in authorized_keys), or the user's shell is none, or prints something at each login",
  ],
  [
    /context not found/,
    "there is no such docker context here: `docker context ls` says which there are",
  ],
  [
    /unable to resolve docker endpoint: open |could not (load|read) .*\.pem/i,
    "its certPath has to be a folder with ca.pem, cert.pem and key.pem, which you may read",
  ],
  [
    /x509: |tls: (failed to|bad|unknown|certificate|expired|handshake)/,
    "its certificate and the ones in certPath aren't of one authority, or not for this name or time",
  ],
  [
    /HTTP request to an HTTPS server|HTTP response to HTTPS client/,
    "one side has TLS and the other hasn't: certPath is for engines that ask for certificates",
  ],
];

/**
 * Milliseconds for a machine that accepts connections, and whose engine or sshd may be busy: `docker` has ssh try twice,
 * for 3 s each, and the first connection takes some round trips.
 */
const PATIENCE_MS = 7_000;

/**
 * Asks all engines at once for a sign of life, before anything else is asked of them: so the first connection to each
 * machine is made, which others share, and a machine that is gone holds nobody up. One that this command has found
 * silent before isn't asked again, so that all of its steps leave out the same.
 *
 * @throws EngineRefuses with the way out.
 */
export async function askWhoAnswers(engines: readonly Engine[]): Promise<Answers> {
  const signs = await Promise.all(
    engines.map(async (engine) => ({ engine, silence: await silenceOf(engine) })),
  );
  return {
    answering: signs.flatMap(({ engine, silence }) => (silence === undefined ? engine : [])),
    silent: new Map(
      signs.flatMap(({ engine, silence }) =>
        silence === undefined ? [] : [[engine.key, silence] as const],
      ),
    ),
  };
}

async function silenceOf(engine: Engine): Promise<string | undefined> {
  const known = knownSilence(engine);
  if (known !== undefined) return known;
  const over = new AbortController();
  try {
    const sign = whyNoSign(engine.within(PATIENCE_MS, over.signal));
    return await Promise.race([sign, whyNobodyIsThere(engine, over.signal)]);
  } finally {
    over.abort();
  }
}

async function whyNoSign(engine: Engine): Promise<string | undefined> {
  try {
    const version = await engine.run("version", "--format={{.Server.Version}}");
    refuseOld(engine, version);
    return undefined;
  } catch (error) {
    if (!(error instanceof DockerError)) throw error;
    const reason = await reasonAt(engine, error);
    const refusal = REFUSALS.find(([words]) => words.test(reason))?.[1];
    if (refusal === undefined) return lastLine(reason);
    throw new EngineRefuses(
      `engines.${engine.key}: ${engine.host ?? engine.context} lets nobody in: ${refusal}. (${lastLine(reason)})`,
    );
  }
}

/** The oldest version that is tried. */
const OLDEST = [20, 10] as const;

/** @param version e.g. `20.10.24+dfsg1`; one of another form is taken for a new one. */
function refuseOld({ key }: Engine, version: string): void {
  const [, major, minor] = version.match(/^(\d+)\.(\d+)\./)?.map(Number) ?? [];
  if (major === undefined || minor === undefined) return;
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new EngineRefuses(
    `engines.${key}: its Docker is ${version}, and nodes need ${OLDEST.join(".")} or newer: upgrade it.`,
  );
}

/** The name that docker (20.10 to 28) gives to whatever is at the other end of ssh. */
const BEHIND_SSH = "docker.example.com. Is the docker daemon running";

async function reasonAt(engine: Engine, { reason }: DockerError): Promise<string> {
  const { host = "" } = engine;
  if (!host.startsWith("ssh:") || !reason.includes(BEHIND_SSH)) return reason;
  return (await wordsOfSsh(host, engine.environment())) || reason;
}

/** What comes before is a greeting, or the frame of a warning. */
function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
