import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { areSameSubject, whyNoCertificateName } from "../../../lib/accounts/certificate-names.ts";

describe("the name of a certificate", () => {
  test.each([
    "CN=worker",
    "CN=worker,OU=jobs,O=Acme",
    "cn = worker , O=Acme",
    "CN=Smith\\, J.,O=A\\+B",
    "CN=a+O=b,C=CH",
    "worker@acme.example",
    "batch.acme.example",
    "*.acme.example",
    "worker",
    "spiffe://acme.example/a=b",
  ])("may be %s", (name) => {
    expect(whyNoCertificateName(name)).toBeUndefined();
  });

  test.each([
    ["two words", /is no subject/],
    ["CN=", /is no subject/],
    ["CN=a,", /is no subject/],
    [",CN=a", /is no subject/],
    ["CN=a+", /is no subject/],
    ["CN=a,O", /is no subject/],
    ["CN=a=b", /backslash/],
    ['CN="a"', /backslash/],
    ["CN=#0401", /begins with #/],
    ["CN=a\\", /is no subject/],
    ["emailAddress=a@b,CN=a", /has EMAILADDRESS, and servers compare only/],
    ["UID=worker", /has UID/],
  ])("can't be %s", (name, reason) => {
    expect(whyNoCertificateName(name)).toMatch(reason);
  });
});

const type = fc.constantFrom("CN", "O", "OU", "C", "DC");
const value = fc.stringMatching(/^[a-zA-Z0-9]([ .,+"=\\;<>-]?[a-zA-Z0-9])*$/);
const escaped = (text: string) => text.replace(/[",+;<>=\\]/g, "\\$&");
const parts = fc.array(fc.tuple(type, value), { minLength: 1, maxLength: 4 });
const textOf = (all: readonly (readonly [string, string])[], join = ",") =>
  all.map(([name, text]) => `${name}=${escaped(text)}`).join(join);

describe("subjects", () => {
  test("are the same in any order, with any case of types and blanks between parts", () => {
    fc.assert(
      fc.property(parts, fc.func(fc.nat()), (all, rank) => {
        const other = all.map((part, index) => [part, rank(index)] as const);
        const shuffled = other.sort(([, a], [, b]) => a - b).map(([part]) => part);
        const lower = shuffled.map(([name, text]) => [name.toLowerCase(), text] as const);
        expect(whyNoCertificateName(textOf(all))).toBeUndefined();
        expect(areSameSubject(textOf(all), textOf(lower, " , "))).toBe(true);
      }),
    );
  });

  test("differ by a part, and by the case of a value", () => {
    fc.assert(
      fc.property(parts, type, value, (all, name, text) => {
        expect(areSameSubject(textOf(all), textOf([...all, [name, text]]))).toBe(false);
      }),
    );
    expect(areSameSubject("CN=a", "CN=A")).toBe(false);
    expect(areSameSubject("CN=a+O=b", "CN=a,O=b")).toBe(false);
    expect(areSameSubject("CN=a+O=b", "o=b+cn=a")).toBe(true);
    expect(areSameSubject("CN=\\61", "CN=a")).toBe(true);
  });
});
