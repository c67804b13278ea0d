import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { parseDuration } from "../../../lib/base/quantities.ts";
import { type NodePlan, nodesOf } from "../../../lib/plan/plan.ts";
import { validityFrom } from "../../../lib/tls/certificate-rules.ts";
import { fileReasons, issueReasons } from "../../../lib/update/certificate-changes.ts";
import {
  issueCertificate,
  type KeyedCertificate,
} from "../../../providers/certificates/issue-certificates.ts";
import { makeAuthority, makeCertificate } from "../../support/certificates.ts";
import { planOf } from "../../support/cluster-report.ts";

const NOW = Date.parse("2026-11-26T08:00:00.789Z");
const DAY = 86_400_000;

const planned = (settings: object) => {
  const plan = planOf({ tls: "stack", ...settings });
  const [{ name, certificateNames }] = nodesOf(plan) as [NodePlan];
  return { name, names: certificateNames, lifetime: plan.certificateLifetime };
};

const show = (reasons: ReturnType<typeof fileReasons>) =>
  reasons.map(({ setting, change }) => `${setting} ${change}`);

describe("another certificate of the stack's own", () => {
  let authority: KeyedCertificate;
  beforeAll(async () => {
    authority = await makeAuthority();
  });

  /** As the provider issues it. */
  const issue = async (settings: object) => {
    const { name, names, lifetime } = planned(settings);
    const issuer = { name: "stack", key: authority.key };
    return await issueCertificate(name, names, validityFrom(NOW, lifetime / 1e6), issuer);
  };
  const reasons = async (before: object, after: object, days = 0) =>
    show(issueReasons((await issue(before)).certificate, planned(after), NOW + days * DAY));

  test("is never announced for the settings that the shown one was issued for", async () => {
    const letters = "abcXYZ019".split("");
    const label = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 8 });
    const host = fc
      .tuple(fc.constantFrom("", "*."), fc.array(label, { minLength: 1, maxLength: 4 }))
      .map(([wildcard, labels]) => `${wildcard}${labels.join(".")}.example`);
    const address = fc.oneof(fc.ipV4(), fc.ipV6());
    const settings = fc.record({
      bindAddress: fc.ipV4(),
      monitorAddress: fc.ipV4(),
      certificateNames: fc.array(fc.oneof(host, address), { maxLength: 5 }),
      certificateLifetime: fc.constantFrom("1m", "1m1ms", "100s999ms", "30d", "365d", "1095d"),
    });
    await fc.assert(
      fc.asyncProperty(settings, async (same) => {
        expect(await reasons(same, same)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  test.each<[string, object, object, string[]]>([
    [
      "more names",
      {},
      { certificateNames: ["db.example.com", "2001:db8::1"] },
      ["certificate names + db.example.com, 2001:db8::1"],
    ],
    [
      "other names",
      { certificateNames: ["a.example.com"] },
      { certificateNames: ["b.example.com"] },
      ["certificate names + b.example.com, - a.example.com"],
    ],
    [
      "the same names in another order",
      { certificateNames: ["a.example.com", "2001:db8::1"] },
      { certificateNames: ["2001:DB8:0::1", "a.example.com"] },
      [],
    ],
    ["another lifetime", {}, { certificateLifetime: "30d" }, ["certificateLifetime 365d → 30d"]],
    [
      "both",
      {},
      { certificateLifetime: "1h", certificateNames: ["a.example.com"] },
      ["certificate names + a.example.com", "certificateLifetime 365d → 1h"],
    ],
  ])("is announced for %s", async (_, before, after, expected) => {
    expect(await reasons(before, after)).toEqual(expected);
  });

  test("is announced once for one that is due", async () => {
    expect(await reasons({}, {}, 334)).toEqual([]);
    expect(await reasons({}, {}, 344.5)).toEqual([
      "certificate expires in 20 days, this up renews it",
    ]);
    expect(await reasons({}, { certificateNames: ["a.example.com"] }, 344.5)).toEqual([
      "certificate names + a.example.com",
    ]);
    expect(await reasons({ certificateLifetime: "30d" }, {}, 25)).toEqual([
      "certificateLifetime 30d → 365d",
    ]);
  });

  test("says lifetimes as they were set", async () => {
    for (const certificateLifetime of ["90m", "36h", "1d1s"]) {
      const lifetime = parseDuration(certificateLifetime);
      expect(planned({ certificateLifetime }).lifetime).toBe(lifetime);
      expect(await reasons({ certificateLifetime }, {})).toEqual([
        expect.stringMatching(/^certificateLifetime \S+ → 365d$/),
      ]);
    }
    expect(await reasons({ certificateLifetime: "90m" }, {})).toEqual([
      "certificateLifetime 1h30m → 365d",
    ]);
  });
});

describe("certificates of one's own", () => {
  test("are announced where files have others than the node", async () => {
    const [old, next] = [await makeAuthority(), await makeAuthority()];
    const [before, after] = [
      await makeCertificate("rg1-az1", old),
      await makeCertificate("rg1-az1", next),
    ];
    const running = { ca: old.certificate, certificate: before.certificate };
    const reasons = (planned: Partial<typeof running>) =>
      show(fileReasons(running, { ...running, ...planned }));
    expect(reasons({})).toEqual([]);
    expect(reasons({ certificate: after.certificate })).toEqual([
      "tlsFiles.cert has another certificate",
    ]);
    const both = `${next.certificate}${old.certificate}`;
    expect(reasons({ ca: both })).toEqual(["tlsFiles.ca has other authorities"]);
    expect(reasons({ ca: next.certificate, certificate: after.certificate })).toEqual([
      "tlsFiles.cert has another certificate",
      "tlsFiles.ca has other authorities",
    ]);
    // What else is written into the files, and who signs for the node, is none of its certificate.
    const chained = `of rg1-az1\n${before.certificate.trimEnd()}\r\n${next.certificate}`;
    expect(reasons({ ca: `# ours\n${old.certificate}\n`, certificate: chained })).toEqual([]);
  });
});
