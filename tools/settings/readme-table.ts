import { SETTINGS, type Setting } from "../../lib/settings/settings-table.ts";

/** The table of settings in README.md, Markdown. A setting without words of its own is told of along with the one before. */
export function readmeTable(): string {
  const settings = Object.entries<Setting>(SETTINGS);
  const lines = settings.flatMap(([name, setting], index) => {
    if (setting.meaning === undefined) return [];
    const others = settings.slice(index + 1);
    const next = others.findIndex(([, { meaning }]) => meaning !== undefined);
    const told = [[name, setting] as const, ...others.slice(0, next < 0 ? undefined : next)];
    const names = told.map(([each]) => `\`${each}\``).join(", ");
    const defaults = told.map(([, each]) => defaultOf(each)).join(", ");
    return [`| ${names} | ${defaults} | ${setting.meaning} |`];
  });
  return ["| setting | default | meaning |", "| --- | --- | --- |", ...lines, ""].join("\n");
}

function defaultOf(setting: Setting): string {
  if (setting.defaultWords !== undefined) return setting.defaultWords;
  if (setting.kind === "password") return "none";
  if (Array.isArray(setting.default)) {
    return setting.default.length === 0 ? "none" : `\`[${setting.default.join(", ")}]\``;
  }
  return typeof setting.default === "object" ? "none" : `\`${setting.default}\``;
}
