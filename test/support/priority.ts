import { constants, setPriority } from "node:os";

/**
 * Lets servers and their clients have a core before a command and its children. Else, where commands of several test
 * files run at a time, elections and acknowledgements come as late as they never would on machines of their own.
 */
export function afterServers<Command extends { readonly pid?: number | undefined }>(
  command: Command,
): Command {
  if (command.pid) setPriority(command.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  return command;
}
