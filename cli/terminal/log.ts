/** A log of steps, see `createLog`. */
export interface Log {
  /** Writes one line. */
  line(text: string): void;
  /** Begins a step. Nothing is shown until it is done, fails, or says what it is doing. */
  step(label: string): Step;
}

export interface Step {
  readonly label: string;
  /** Says what the step is doing now, if that takes time: `building from source`. */
  doing(what: string): void;
  /** The latest sign of life, shown beside what the step is doing. */
  detail(text: string): void;
  /**
   * Ends the step well: `built from source` is shown as `built from source in 2m 41s`.
   *
   * @param took in milliseconds, if that isn't the time since the step began
   */
  done(how: string, took?: number): void;
  /** Ends the step badly. */
  failed(why: string): void;
}
