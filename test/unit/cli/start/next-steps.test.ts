import pc from "picocolors";
import { expect, test } from "vitest";
import { renderNextSteps } from "../../../../cli/start/next-steps.ts";

const plain = (width: number) => ({ width, colors: pc.createColors(false) });

test("next steps fetch the authority's certificate where a client needs it", () => {
  const steps = {
    stackOption: " --stack blue",
    settingsFile: "Pulumi.blue.yaml",
    user: "user",
    clientUrl: "tls://10.0.0.5:4222",
    needsCa: true,
  };
  expect(renderNextSteps(steps, plain(80))).toContain(`
  npx pulumi stack output caCertificate --stack blue > ca.pem
  nats --server tls://10.0.0.5:4222 --tlsca ca.pem --user user \\
    --password`);
});

test("next steps show no login that nobody has", () => {
  const steps = {
    stackOption: "",
    settingsFile: "Pulumi.dev.yaml",
    clientUrl: "nats://127.0.0.1:4222",
    needsCa: false,
  };
  expect(renderNextSteps(steps, plain(80))).not.toContain("--user");
});

test("next steps name the stack only where it must be named", () => {
  const steps = {
    settingsFile: "Pulumi.dev.yaml",
    user: "user",
    clientUrl: "nats://127.0.0.1:4222",
    needsCa: false,
  };
  expect(renderNextSteps({ ...steps, stackOption: "" }, plain(80))).not.toContain("--stack");
  expect(
    `\n${renderNextSteps({ ...steps, stackOption: " --stack blue" }, plain(80))}\n`,
  ).toMatchInlineSnapshot(`
    "
    Next
      npm run status -- --stack blue   this picture, as it is then
      npm run preview -- --stack blue  what an edit of Pulumi.dev.yaml would change
      npm start -- --stack blue        make it so
      npm run destroy -- --stack blue  take it all down

    With the nats CLI
      nats --server nats://127.0.0.1:4222 --user user \\
        --password "$(npx pulumi config get password --stack blue)" stream report
    "
  `);
});
