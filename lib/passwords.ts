import { PlanError, type Problem } from "./errors.ts";
import type { Settings } from "./settings.ts";

/** The passwords of the two users. */
export interface Passwords {
  readonly password: string;
  readonly systemPassword: string;
}

/**
 * A client sends its password in one line of 4 KiB, with its name and more (nats-server 2.15,
 * `max_control_line`), and may write six bytes for one.
 */
const MAX_BYTES = 256;

/** What nats-server takes for the hash of a password that clients know (`isBcrypt` in its server/auth.go). */
const BCRYPT = /^\$2[abxy]\$\d{2}\$/;

/**
 * Reads the passwords from a stack's config, text by `project:name`.
 *
 * @throws PlanError for those that are missing, or that nats-server would read otherwise; it quotes none.
 */
export function readPasswords(
  config: Readonly<Record<string, string>>,
  project: string,
  { user, systemUser }: Pick<Settings, "user" | "systemUser">,
): Passwords {
  const {
    [`${project}:password`]: password = "",
    [`${project}:systemPassword`]: systemPassword = "",
  } = config;
  const problems = [
    ...checkPassword("password", password, user),
    ...checkPassword("systemPassword", systemPassword, systemUser),
  ];
  if (problems.length > 0) throw new PlanError(problems);
  return { password, systemPassword };
}

function checkPassword(path: keyof Passwords, password: string, user: string): Problem[] {
  const command = `npx pulumi config set --secret ${path}`;
  if (password === "") {
    return [{ path, message: `user ${user} has no password`, fix: `set one: ${command}` }];
  }
  const fault = faultOf(password);
  if (fault === undefined) return [];
  const message = `the password of user ${user} ${fault}`;
  return [{ path, message, fix: `set another: ${command}` }];
}

function faultOf(password: string): string | undefined {
  if (Buffer.byteLength(password) > MAX_BYTES) return `is longer than ${MAX_BYTES} bytes`;
  if (BCRYPT.test(password)) {
    return "looks like a bcrypt hash, which nats-server compares with the password that it is of";
  }
  return undefined;
}
