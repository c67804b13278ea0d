import pc from "picocolors";
import type { Canvas } from "../layout/text.ts";

/** The terminal at stdout; without one, a width of eighty columns. */
export function terminal(): Canvas {
  const { columns = 80, isTTY } = process.stdout;
  const { FORCE_COLOR, NO_COLOR, TERM } = process.env;
  const colored = FORCE_COLOR ? FORCE_COLOR !== "0" : isTTY && !NO_COLOR && TERM !== "dumb";
  return { width: columns, colors: pc.createColors(colored) };
}
