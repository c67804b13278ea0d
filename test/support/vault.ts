/**
 * Set-up of tests of stacks: what Pulumi asks of a HashiCorp Vault, so that stacks can have their secrets encrypted by a
 * key of a service. With a passphrase, each command would derive the key by a million rounds of SHA-256; examples and
 * documents have one.
 */
import { createCipheriv, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { z } from "zod";

/** Name of the key in the Vault. */
const KEY = "test-stacks";

/** How a Vault's transit engine marks what it has encrypted; here that is not encrypted any further. */
const MARK = "vault:v1:";

/** The key of 256 bits by which the CLI encrypts secrets in settings and state. */
const dataKey = randomBytes(32);

const decryption = z.object({ ciphertext: z.string().startsWith(MARK) });

/** Tells the tests' processes its URL. */
const URL_VARIABLE = "NATS_REGIONS_TEST_VAULT";

export default async function setUp(): Promise<(() => void) | undefined> {
  // Of another project in the same run.
  if (isVaultThere()) return undefined;
  const server = createServer(async (request, response) => {
    const asked = decryption.safeParse(await json(request));
    if (request.url !== `/v1/transit/decrypt/${KEY}` || !asked.success) {
      response.writeHead(404).end(JSON.stringify({ errors: [`no answer to ${request.url}`] }));
      return;
    }
    const plaintext = asked.data.ciphertext.slice(MARK.length);
    response.end(JSON.stringify({ data: { plaintext } }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  process.env[URL_VARIABLE] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return () => void server.close();
}

export function isVaultThere(): boolean {
  return process.env[URL_VARIABLE] !== undefined;
}

/** What the CLI finds it by; nothing if it doesn't run. */
export function vaultEnvironment(): Record<string, string> {
  const url = process.env[URL_VARIABLE];
  return url === undefined ? {} : { VAULT_SERVER_URL: url, VAULT_SERVER_TOKEN: "test" };
}

/** The entries of a stack's file by which the CLI finds the key. */
export const VAULT_SETTINGS = {
  secretsprovider: `hashivault://${KEY}`,
  encryptedkey: Buffer.from(`${MARK}${dataKey.toString("base64")}`).toString("base64"),
};

/** A secret as the CLI writes it into settings (`NewSymmetricCrypter` of Pulumi's SDK). */
export function encrypt(secret: string): { readonly secure: string } {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", dataKey, nonce);
  const encrypted = [cipher.update(secret, "utf8"), cipher.final(), cipher.getAuthTag()];
  const parts = [nonce, Buffer.concat(encrypted)].map((part) => part.toString("base64"));
  return { secure: ["v1", ...parts].join(":") };
}
