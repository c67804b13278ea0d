/** Where a cluster's settings stand: in the config of its stack, or in the args that a program gives it. */
export type SettingsPlace = "config" | "program";

/**
 * What somebody types, or writes, to give a setting a value: `npx pulumi config set memory 1GiB`, `memory: "1GiB"`.
 *
 * @param path of the setting, with dots where it is in another one.
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

/** The same for a password, which nobody is to read over a shoulder. */
export function howToSetSecret(place: SettingsPlace, path: string): string {
  const name = path.split(".").at(-1);
  if (place === "program") return `${name}: config.requireSecret("…")`;
  const option = path.includes(".") ? "--path " : "";
  return `${pulumiCommand(place)} config set --secret ${option}${path}`;
}

/** What takes a setting out again. */
export function howToUnset(place: SettingsPlace, name: string): string {
  return place === "config"
    ? `${pulumiCommand(place)} config rm ${name}`
    : `take ${name} out again`;
}

/** What starts Pulumi: other people's programs have a CLI of their own. */
export function pulumiCommand(place: SettingsPlace): string {
  return place === "config" ? "npx pulumi" : "pulumi";
}
