/** What `node cli/bootstrap.mjs --help` prints; every command is also an npm script. */
export const usage: string;
