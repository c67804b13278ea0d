/** Labels of containers, networks and volumes that a stack creates on a Docker engine. */

/** The owner's id. It distinguishes stacks, also those of the same name in two backends. */
export const OWNER_LABEL = "nats-regions.owner";
/** The stack's name, for users and for `docker` filters. */
export const STACK_LABEL = "nats-regions.stack";
/** On a container: the name of its node. */
export const NODE_LABEL = "nats-regions.node";
/** On a container or volume: the name of the NATS cluster for which it was created. */
export const CLUSTER_LABEL = "nats-regions.cluster";
/** JSON of the settings with which a container was created and which no reload changes. Stores may have grown since. */
export const RESTART_SETTINGS_LABEL = "nats-regions.restart-settings";
/** On a volume: distinguishes it from earlier volumes of the same name. */
export const GENERATION_LABEL = "nats-regions.generation";
