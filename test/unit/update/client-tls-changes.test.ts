import { beforeAll, describe, expect, test } from "vitest";
import { STACK_SERVER_NAME } from "../../../lib/tls/certificate-rules.ts";
import { clientTlsReasons, cutOffWarnings } from "../../../lib/update/client-tls-changes.ts";
import {
  makeAuthority,
  makeCertificate,
  makeServerCertificate,
} from "../../support/certificates.ts";

describe("what nodes show to clients, and ask of them", () => {
  let bare: string;
  let own: string;
  let shown: string;
  let other: string;
  let authorities: readonly [string, string];

  beforeAll(async () => {
    const [one, two] = [await makeAuthority(), await makeAuthority()];
    authorities = [one.certificate, two.certificate];
    bare = (await makeCertificate("n", one)).certificate;
    own = (await makeCertificate("n", one, ["n", STACK_SERVER_NAME])).certificate;
    shown = (await makeServerCertificate("a.example.com", two)).certificate;
    other = (await makeServerCertificate("a.example.com", two)).certificate;
  });
  const said = (...args: Parameters<typeof clientTlsReasons>) =>
    clientTlsReasons(...args).map(({ setting, change }) => `${setting} ${change}`);
  const OFF = { asks: false };

  test("is told where it changes, and only there", () => {
    expect(said({ own: bare, ...OFF }, OFF)).toEqual([]);
    expect(said({ own: bare, ...OFF }, { shown, ...OFF })).toEqual([
      "clientTls none → a certificate for clients",
    ]);
    expect(said({ own, shown, ...OFF }, { shown, ...OFF })).toEqual([]);
    expect(said({ own, shown, ...OFF }, { shown: other, ...OFF })).toEqual([
      "clientTls.cert has another certificate",
    ]);
    expect(said({ own, shown: undefined, ...OFF }, OFF)).toEqual([
      "clientTls → none, clients see the stack's own certificate",
    ]);
    const [one, two] = authorities;
    const asks = { asks: true, authorities: one };
    expect(said({ own: bare, ...OFF }, asks)).toEqual([
      "clientCertificates clients have to show one",
    ]);
    expect(said({ own: bare, ...asks }, asks)).toEqual([]);
    expect(said({ own: bare, ...asks }, { ...asks, authorities: one + two })).toEqual([
      "clientCertificates has other authorities",
    ]);
    expect(said({ own: bare, ...asks }, OFF)).toEqual([
      "clientCertificates clients have to show none any more",
    ]);
  });

  test("is warned of with the clients that it may cut off", () => {
    const change = { kind: "reload", reasons: [], label: "" } as const;
    expect(cutOffWarnings([{ ...change, node: "a" }])).toEqual([]);
    expect(
      cutOffWarnings([
        { ...change, node: "a", clients: 2 },
        { ...change, node: "b", clients: 1 },
        { ...change, node: "c" },
      ]),
    ).toEqual([expect.stringMatching(/ a, b refuse clients .* 3 clients have a connection/)]);
  });
});
