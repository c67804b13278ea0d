/** What is on the user's engine by names that begin alike, as a stack's do. */
import { execa } from "execa";

/** Containers, volumes and networks, by name. */
export async function namesOnEngine(prefix: string): Promise<string[]> {
  const filter = `--filter=name=${prefix}`;
  const lists = await Promise.all([
    execa("docker", ["ps", "--all", filter, "--format={{.Names}}"]),
    execa("docker", ["volume", "ls", filter, "--format={{.Name}}"]),
    execa("docker", ["network", "ls", filter, "--format={{.Name}}"]),
  ]);
  return lists.flatMap(({ stdout }) => stdout.split("\n").filter((name) => name !== ""));
}

/** Removes it all, whatever state it is in. */
export async function removeFromEngine(prefix: string): Promise<void> {
  const filter = `--filter=name=${prefix}`;
  const shell = (command: string) => execa("sh", ["-c", command], { reject: false });
  await shell(`docker rm --force $(docker ps --all --quiet ${filter})`);
  await shell(`docker volume rm $(docker volume ls --quiet ${filter})`);
  await shell(`docker network rm $(docker network ls --quiet ${filter})`);
}
