/** The niceness of commands that tests start. */
const NICENESS = "10";

/**
 * A command line that lets servers and their clients have a core before a command and its children. Else, where commands
 * of several test files run at a time, elections and acknowledgements come as late as they never would on machines of
 * their own.
 */
export function afterServers(file: string, args: readonly string[]): [string, string[]] {
  return ["nice", ["-n", NICENESS, file, ...args]];
}

/**
 * The same for a command in a session of its own: Linux compares processes by their niceness within a session only, and
 * sessions by their own (man 7 sched, "The autogroup feature").
 */
export function afterServersInSession(file: string, args: readonly string[]): [string, string[]] {
  const line = `{ echo ${NICENESS} > /proc/self/autogroup; } 2> /dev/null; exec "$@"`;
  return ["sh", ["-c", line, "sh", ...afterServers(file, args).flat()]];
}
