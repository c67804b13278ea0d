/**
 * Listeners of nats-server besides those for clients, rows of the table in settings-table.ts. A reload can't add or change
 * one (2.15, `diffOptions` in server/reload.go). With `tls`, each has the node's certificate.
 */
export const LISTENER_SETTINGS = {
  /** 0: not published. */
  leafNodePort: {
    kind: "port",
    default: 0,
    description:
      "Port for leaf nodes of the first node, the others follow. 0 publishes none; leafNodes has to be on.",
    meaning:
      "port for leaf nodes of the first node, the others follow, on `bindAddress`. Output `publishedLeafNodeUrls` has their URLs",
    defaultWords: "not published",
    change: "restart",
  },
  websocket: {
    kind: "flag",
    default: false,
    description:
      "Whether nodes take clients by WebSocket, as browsers are. They log in as others do.",
    meaning:
      "nodes take clients by WebSocket, as browsers are, on `bindAddress`; with TLS where nodes have it. They log in as others do. The port is that of the first node, the others follow. Output `websocketUrls` has their URLs",
    change: "restart",
    node: { omitDefault: true },
  },
  websocketPort: {
    kind: "port",
    default: 0,
    description:
      "Port for WebSocket of the first node, the others follow. 0 is 8000 above clientPort.",
    defaultWords: "`clientPort` + 8000",
    change: "restart",
  },
  mqtt: {
    kind: "flag",
    default: false,
    description:
      "Whether nodes take clients by MQTT. They log in as others do, and their account needs JetStream.",
    meaning:
      "nodes take clients by MQTT, on `bindAddress`; with TLS where nodes have it. They log in as others do. Their account needs JetStream, where the servers make streams `$MQTT_…` for them. The port is that of the first node, the others follow. Output `mqttUrls` has their URLs",
    change: "restart",
    node: { omitDefault: true },
  },
  mqttPort: {
    kind: "port",
    default: 0,
    description: "Port for MQTT of the first node, the others follow. 0 is 12000 above clientPort.",
    defaultWords: "`clientPort` + 12000",
    change: "restart",
  },
} as const;
