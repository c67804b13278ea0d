/** Milliseconds between two lines about a running step in the plain log (without a terminal). */
const HEARTBEAT = 20_000;
const FRAME = 100;
const SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
const LABEL_WIDTH = 28;

/** @import { Log, Step } from "./log.ts" */
/** @typedef {NodeJS.WritableStream & { isTTY?: boolean, columns?: number }} Stream */
/** @typedef {Step & { status: () => string }} LiveStep */
/** @typedef {{ add(step: LiveStep): void, remove(step: LiveStep): void, line(text: string): void }} Board */
/** @typedef {Record<"done" | "failed", (step: LiveStep, text: string) => void> & { working(step: LiveStep): void, note(step: LiveStep, text: string): void }} Ends */

/**
 * A duration for users: `38 ms`, `4.2 s`, `2m 41s`.
 *
 * @param {number} ms
 */
export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, "0")}s`;
}

/**
 * A log of steps: on a terminal, running steps are updated in the last lines; elsewhere it consists of plain lines.
 *
 * @param {{ stream?: Stream, env?: NodeJS.ProcessEnv }} [output]
 * @returns {Log}
 */
export function createLog({ stream = process.stderr, env = process.env } = {}) {
  const terminal = Boolean(stream.isTTY) && env.TERM !== "dumb";
  const colored = env.FORCE_COLOR ? env.FORCE_COLOR !== "0" : terminal && !env.NO_COLOR;
  /**
   * @param {number} code
   * @param {string} text
   */
  const paint = (code, text) => (colored ? `\x1b[${code}m${text}\x1b[0m` : text);
  const board = terminal && !env.CI ? liveBoard(stream, paint) : plainBoard(stream);
  /**
   * @param {LiveStep} step
   * @param {string} mark
   * @param {string} text
   */
  const end = (step, mark, text) => {
    board.remove(step);
    board.line(`${mark} ${step.label.padEnd(LABEL_WIDTH)} ${paint(2, text)}`);
  };
  return {
    line: board.line,
    step: (label) =>
      createStep(label, {
        working: board.add,
        note: (step, text) => board.line(`• ${step.label.padEnd(LABEL_WIDTH)} ${paint(2, text)}`),
        done: (step, text) => end(step, paint(32, "✓"), text),
        failed: (step, text) => end(step, paint(31, "✗"), text),
      }),
  };
}

/**
 * @param {string} label
 * @param {Ends} on
 * @returns {LiveStep}
 */
function createStep(label, on) {
  const began = performance.now();
  let phase = "";
  let latest = "";
  const elapsed = () => performance.now() - began;
  /** @type {LiveStep} */
  const step = {
    label,
    status: () =>
      [phase, elapsed() > 1000 && duration(elapsed()), latest].filter(Boolean).join(" · "),
    doing(what) {
      phase = what;
      latest = "";
      on.working(step);
    },
    note: (text) => on.note(step, text),
    detail(text) {
      latest = text;
    },
    done: (how, took = elapsed()) => on.done(step, `${how} in ${duration(took)}`),
    failed: (why) => on.failed(step, `${why} after ${duration(elapsed())}`),
  };
  return step;
}

/**
 * Running steps as lines below all others, which are redrawn.
 *
 * @param {Stream} stream
 * @param {(code: number, text: string) => string} paint
 * @returns {Board}
 */
function liveBoard(stream, paint) {
  /** @type {Set<LiveStep>} */
  const working = new Set();
  let drawn = 0;
  let frame = 0;
  /** @type {NodeJS.Timeout | undefined} */
  let timer;

  const redraw = (above = "") => {
    const width = (stream.columns || 80) - 1;
    const rows = [...working].map((step) => {
      const row = `${step.label.padEnd(LABEL_WIDTH)} ${step.status()}`.slice(0, width - 2);
      return `${paint(36, SPINNER.charAt(frame % SPINNER.length))} ${row}\n`;
    });
    const erase = drawn > 0 ? `\x1b[${drawn}A\x1b[J` : "";
    stream.write(erase + above + rows.join(""));
    drawn = rows.length;
  };
  const tick = () => {
    frame++;
    redraw();
  };
  return {
    add(step) {
      working.add(step);
      timer ??= setInterval(tick, FRAME).unref();
      redraw();
    },
    remove(step) {
      working.delete(step);
      if (working.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    },
    line: (text) => redraw(`${text}\n`),
  };
}

/**
 * Running steps as plain lines: one at each change, and one now and then as a sign of progress.
 *
 * @param {Stream} stream
 * @returns {Board}
 */
function plainBoard(stream) {
  /** @type {Map<LiveStep, NodeJS.Timeout>} */
  const timers = new Map();
  /** @param {string} text */
  const line = (text) => stream.write(`${text}\n`);
  /** @param {LiveStep} step */
  const beat = (step) => line(`• ${step.label.padEnd(LABEL_WIDTH)} ${step.status()}`);
  /** @param {LiveStep} step */
  const remove = (step) => {
    clearInterval(timers.get(step));
    timers.delete(step);
  };
  return {
    add(step) {
      remove(step);
      beat(step);
      timers.set(step, setInterval(beat, HEARTBEAT, step).unref());
    },
    remove,
    line,
  };
}
