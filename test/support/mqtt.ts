import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";

/** Where an MQTT client connects, with TLS by an authority if there is one. */
export interface MqttServer {
  readonly port: number;
  readonly host?: string;
  /** PEM. */
  readonly ca?: string;
  readonly servername?: string;
}

const text = (value: string) => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
};
const packet = (kind: number, ...parts: Buffer[]) => {
  const body = Buffer.concat(parts);
  if (body.length > 127) throw new Error("longer packets aren't needed here");
  return Buffer.concat([Buffer.from([kind, body.length]), body]);
};

/**
 * Logs in by MQTT 3.1.1 and publishes one message with QoS 1.
 *
 * @returns the code of the server's answer to the login, 0 if it is taken, and whether the message was acknowledged.
 */
export async function publishByMqtt(
  { port, host = "127.0.0.1", ca, servername = "" }: MqttServer,
  login: { readonly user: string; readonly password: string },
  topic: string,
  payload: string,
): Promise<{ readonly code: number; readonly acknowledged: boolean }> {
  const socket =
    ca === undefined
      ? connectTcp({ port, host })
      : connectTls({ port, host, ca, ...(servername === "" ? {} : { servername }) });
  await once(socket, ca === undefined ? "connect" : "secureConnect");
  try {
    const flags = Buffer.from([4, 0b1100_0010, 0, 30]);
    const credentials = [text("test"), text(login.user), text(login.password)];
    socket.write(packet(0x10, text("MQTT"), flags, ...credentials));
    const [greeting] = (await once(socket, "data")) as [Buffer];
    const code = greeting[3] ?? -1;
    if (code !== 0) return { code, acknowledged: false };
    socket.write(packet(0x32, text(topic), Buffer.from([0, 1]), Buffer.from(payload)));
    const [answer] = (await once(socket, "data")) as [Buffer];
    return { code, acknowledged: answer[0] === 0x40 };
  } finally {
    socket.destroy();
  }
}
