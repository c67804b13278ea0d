/** The command that starts one of the scripts in run/, found from the program's folder as its imports are. */
export function runCommand(...words: string[]): string {
  return `node -e 'import("nats-regions/run")' ${words.join(" ")}`;
}
