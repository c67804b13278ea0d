/** Labels of what a stack makes on a Docker engine. */

/** Tells stacks apart, also those of the same name in two backends. */
export const OWNER_LABEL = "nats-regions.owner";
/** Names the stack, for people and for `docker` filters. */
export const STACK_LABEL = "nats-regions.stack";
/** Names the node that a container is, and the NATS cluster that it was made for. */
export const NODE_LABEL = "nats-regions.node";
export const CLUSTER_LABEL = "nats-regions.cluster";
/** JSON of the settings that a container was made with and that no reload changes; stores may have grown since. */
export const RESTART_SETTINGS_LABEL = "nats-regions.restart-settings";
/** Of a volume: tells it from those that had its name before. */
export const GENERATION_LABEL = "nats-regions.generation";
