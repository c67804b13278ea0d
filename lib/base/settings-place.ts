/** Where a cluster's settings come from: the config of its stack, or the args in a program. */
export type SettingsPlace = "config" | "program";

/**
 * The command or the code that sets a setting, e.g. `npx pulumi config set memory 1GiB` or `memory: "1GiB"`.
 *
 * @param path of the setting, with a dot between the names of nested settings.
 */
export function howToSet(place: SettingsPlace, path: string, value: string | number): string {
  const names = path.split(".");
  if (place === "config") {
    const option = names.length > 1 ? "--path " : "";
    return `${pulumiCommand(place)} config set ${option}${path} ${value}`;
  }
  const last = names.pop();
  const field = `${last}: ${JSON.stringify(value)}`;
  return names.reduceRight((inner, name) => `${name}: { ${inner} }`, field);
}

/** The command or the code that sets a password. It doesn't contain the password: the command asks for it. */
export function howToSetSecret(place: SettingsPlace, path: string): string {
  const name = path.split(".").at(-1);
  if (place === "program") return `${name}: config.requireSecret("…")`;
  const option = path.includes(".") ? "--path " : "";
  return `${pulumiCommand(place)} config set --secret ${option}${path}`;
}

/** The command that removes a setting, or an instruction to do so. */
export function howToUnset(place: SettingsPlace, name: string): string {
  return place === "config"
    ? `${pulumiCommand(place)} config rm ${name}`
    : `take ${name} out again`;
}

/** The command of Pulumi's CLI. `npx pulumi` is this project's own, and other projects don't have it. */
export function pulumiCommand(place: SettingsPlace): string {
  return place === "config" ? "npx pulumi" : "pulumi";
}
