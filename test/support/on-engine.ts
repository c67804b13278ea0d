/** Objects on the user's engine whose names have a common prefix, like a stack's. */
import { execa } from "execa";

/** Names of the containers, volumes and networks. */
export async function namesOnEngine(prefix: string): Promise<string[]> {
  const filter = `--filter=name=${prefix}`;
  const lists = await Promise.all([
    execa("docker", ["ps", "--all", filter, "--format={{.Names}}"]),
    execa("docker", ["volume", "ls", filter, "--format={{.Name}}"]),
    execa("docker", ["network", "ls", filter, "--format={{.Name}}"]),
  ]);
  return lists.flatMap(({ stdout }) => stdout.split("\n").filter((name) => name !== ""));
}

/** Removes all of them, whatever their state. */
export async function removeFromEngine(prefix: string): Promise<void> {
  const filter = `--filter=name=${prefix}`;
  const shell = (command: string) => execa("sh", ["-c", command], { reject: false });
  await shell(`docker rm --force $(docker ps --all --quiet ${filter})`);
  await shell(`docker volume rm $(docker volume ls --quiet ${filter})`);
  await shell(`docker network rm $(docker network ls --quiet ${filter})`);
}
