import { mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type GoProgram, goBuild, goVersionFor } from "./go.ts";
import type { Machine } from "./machine.ts";
import type { Way } from "./part.ts";
import { install } from "./staged.ts";

/**
 * A build from source, which works wherever the Go module proxy can be reached.
 *
 * @param place what is installed as a whole: the program, or a folder.
 * @param inside the program's path in that folder.
 */
export function fromSource(machine: Machine, program: GoProgram, place: string, inside = ""): Way {
  return {
    name: "from source",
    doing: "building from source",
    done: "built from source",
    take: (step) =>
      install(place, async (draft) => {
        const made = join(draft, basename(place));
        await mkdir(dirname(join(made, inside)), { recursive: true });
        await goBuild(machine, program, join(made, inside), { step });
        return made;
      }),
  };
}

/** The remedy if neither a ready-made program nor a build is possible. */
export async function goRemedy(program: GoProgram, otherwise: string): Promise<string> {
  const version = await goVersionFor(program);
  return `Install Go ${version} or newer (go.dev/doc/install), or ${otherwise}.`;
}
