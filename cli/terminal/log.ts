/** A log of steps, see `createLog`. */
export interface Log {
  /** Writes one line. */
  line(text: string): void;
  /** Begins a step. It is shown when it ends or reports what it is doing. */
  step(label: string): Step;
}

export interface Step {
  readonly label: string;
  /** Shows what the step is doing now, if that takes time: `building from source`. */
  doing(what: string): void;
  /** Writes a line about the step that stays, while the step goes on. */
  note(text: string): void;
  /** Shows the latest sign of progress next to that. */
  detail(text: string): void;
  /**
   * Ends the step successfully: `built from source` is shown as `built from source in 2m 41s`.
   *
   * @param took milliseconds. Default: the time since the step began.
   */
  done(how: string, took?: number): void;
  /** Ends the step as failed. */
  failed(why: string): void;
}
