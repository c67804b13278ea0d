import type { Canvas } from "../layout/text.ts";

/** What there is to show people how to go on. */
export interface NextSteps {
  /** What commands need to mean this stack: ` --stack NAME`, or nothing. */
  readonly stackOption: string;
  readonly settingsFile: string;
  /** Whose password is the setting `password`; absent where nobody has it. */
  readonly user?: string;
  readonly clientUrl: string;
  readonly hasTls: boolean;
}

/** What to type next. The password is asked of Pulumi when it is used, and never shown here. */
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

function login({ stackOption, clientUrl, hasTls }: NextSteps, user: string): string[] {
  return [
    ...(hasTls ? [`  npx pulumi stack output caCertificate${stackOption} > ca.pem`] : []),
    `  nats --server ${clientUrl}${hasTls ? " --tlsca ca.pem" : ""} --user ${user} \\`,
    `    --password "$(npx pulumi config get password${stackOption})" stream report`,
  ];
}
