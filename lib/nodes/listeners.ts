/** Listeners of a node besides those for clients, routes and monitoring: ports that are published if they are wanted. */
import type { SettingsByName } from "../settings/setting-values.ts";

/** Ports in a node's container, the same for all nodes. */
export const LEAF_PORT = 7422;
export const WEBSOCKET_PORT = 8080;
export const MQTT_PORT = 1883;

/** A published port of a node. */
export interface Listener {
  /** The setting with the port of the first node. */
  readonly setting: "leafNodePort" | "websocketPort" | "mqttPort";
  /** In the container. */
  readonly inner: number;
  /** On the engine's host, on the plan's `bindAddress`. */
  readonly port: number;
}

export type ListenerSettings = Pick<
  SettingsByName,
  "leafNodes" | "leafNodePort" | "websocket" | "websocketPort" | "mqtt" | "mqttPort"
>;

/** The ports that a node publishes, in the order of the settings. */
export function listenersOf(settings: ListenerSettings, portOffset: number): readonly Listener[] {
  const { leafNodes, leafNodePort, websocket, websocketPort, mqtt, mqttPort } = settings;
  const all = [
    {
      setting: "leafNodePort",
      inner: LEAF_PORT,
      isOn: leafNodes && leafNodePort > 0,
      first: leafNodePort,
    },
    { setting: "websocketPort", inner: WEBSOCKET_PORT, isOn: websocket, first: websocketPort },
    { setting: "mqttPort", inner: MQTT_PORT, isOn: mqtt, first: mqttPort },
  ] as const;
  return all
    .filter(({ isOn }) => isOn)
    .map(({ setting, inner, first }) => ({ setting, inner, port: first + portOffset }));
}
