/** Updates the files that document settings: `npm run settings`, to be run after each change of their table. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SETTINGS_FILES } from "./settings-files.ts";

for (const { file, render } of SETTINGS_FILES) {
  const path = join(import.meta.dirname, "../..", file);
  const text = readFileSync(path, { encoding: "utf8", flag: "a+" });
  const rendered = render(text);
  if (rendered !== text) writeFileSync(path, rendered);
  console.log(`${file}: ${rendered === text ? "up to date" : "written"}`);
}
