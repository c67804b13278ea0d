import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readPageAsShown } from "../../../live/monitoring/monitoring-page.ts";
import type { KeyedCertificate } from "../../../providers/certificates/issue-certificates.ts";
import { makeAuthority, makeCertificate } from "../../support/certificates.ts";

/** A node's monitoring port is where its certificate says that it is, and nowhere else. */
describe("a page", () => {
  let authority: KeyedCertificate;
  let stranger: KeyedCertificate;
  let own: KeyedCertificate;
  let url: string;
  const server = createServer((request, response) => response.end(`{"page":"${request.url}"}`));

  beforeAll(async () => {
    [authority, stranger] = [await makeAuthority(), await makeAuthority()];
    own = await makeCertificate("rg1-az1", authority);
    server.setSecureContext({ cert: own.certificate, key: own.key });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => server.close());

  const read = async (name: string, ca?: string) => {
    const node = { name, url, ...(ca === undefined ? {} : { ca }) };
    return (await readPageAsShown(node, "jsz?config=true", 2_000)).text;
  };

  test("is read by the node's name, though its address is not in the certificate", async () => {
    expect(await read("rg1-az1", authority.certificate)).toBe('{"page":"/jsz?config=true"}');
    const both = `${stranger.certificate}${authority.certificate}`;
    expect(await read("rg1-az1", both)).toContain("jsz");
  });

  test("comes with the certificate that the node shows", async () => {
    const node = { name: "rg1-az1", url, ca: authority.certificate };
    expect(await readPageAsShown(node, "varz", 2_000)).toEqual({
      text: '{"page":"/varz"}',
      certificate: own.certificate,
    });
  });

  test.each([
    ["another node", "rg1-az2", () => authority.certificate, /rg1-az2/],
    ["a node that others certify", "rg1-az1", () => stranger.certificate, /certificate/],
    ["a node that nobody certifies", "rg1-az1", () => undefined, /certificate/],
  ])("isn't taken from %s", async (_, name, ca, words) => {
    await expect(read(name, ca())).rejects.toThrow(words);
  });
});
