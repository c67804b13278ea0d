/** Whether a preview saves its plan, or an `up` goes by one: what it is made of has to be the same in both. */
export function goesByPlan(): boolean {
  return process.env.NATS_REGIONS_HAS_PLAN !== undefined;
}
