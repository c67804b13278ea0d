import type { Canvas } from "../layout/text.ts";

/** What the user needs to know to continue. */
export interface NextSteps {
  /** Option that makes commands use this stack: ` --stack NAME`, or nothing. */
  readonly stackOption: string;
  readonly settingsFile: string;
  /** The user of the setting `password`; absent if there is none. */
  readonly user?: string;
  readonly clientUrl: string;
  /** Whether clients need the authorities of the stack's output to verify nodes. */
  readonly needsCa: boolean;
}

/** Commands for the user to continue with. They read the password from Pulumi when they run; it isn't shown. */
export function renderNextSteps(steps: NextSteps, { colors }: Canvas): string {
  const { stackOption, settingsFile, user } = steps;
  const scriptOption = stackOption === "" ? "" : ` --${stackOption}`;
  const commands = [
    [`npm run status${scriptOption}`, "this picture, as it is then"],
    [`npm run preview${scriptOption}`, `what an edit of ${settingsFile} would change`],
    [`npm start${scriptOption}`, "make it so"],
    [`npm run destroy${scriptOption}`, "take it all down"],
  ] as const;
  const width = Math.max(...commands.map(([command]) => command.length));
  return [
    colors.bold("Next"),
    ...commands.map(([command, effect]) => `  ${command.padEnd(width)}  ${colors.dim(effect)}`),
    ...(user === undefined ? [] : ["", colors.bold("With the nats CLI"), ...login(steps, user)]),
  ].join("\n");
}

function login({ stackOption, clientUrl, needsCa }: NextSteps, user: string): string[] {
  return [
    ...(needsCa ? [`  npx pulumi stack output caCertificate${stackOption} > ca.pem`] : []),
    `  nats --server ${clientUrl}${needsCa ? " --tlsca ca.pem" : ""} --user ${user} \\`,
    `    --password "$(npx pulumi config get password${stackOption})" stream report`,
  ];
}
