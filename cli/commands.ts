import { Argument, Command, Help, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { CHAOS_FILES, partOf } from "../tools/commands/chaos-files.ts";
import { HOWS, parseAway } from "./drill/terms.ts";
import { SUMMARIES } from "./terminal/summaries.mjs";

const STACK = "-s, --stack <name>";
/** The commands of `bench`. */
const BENCHES = ["streams", "machines", "processes", "against"] as const;
const DEFAULT = "(default: the selected one, else dev)";

/** Runs a command line. @returns the exit status. @throws CommanderError after it has printed its message itself. */
export async function runCommand(args: readonly string[]): Promise<number> {
  let status = 0;
  const program = createProgram(async (work) => {
    status = await work();
  });
  await program.parseAsync(args.length === 0 ? ["--help"] : args, { from: "user" });
  return status;
}

/**
 * All commands with their options and help. Each loads its code only when it runs, so that no command waits for another
 * one's modules.
 *
 * @param begin runs a command's work, which returns its exit status.
 */
export function createProgram(begin: (work: () => Promise<number>) => Promise<void>) {
  const program = new Command("npm run")
    .enablePositionalOptions()
    .exitOverride()
    .usage("<command> -- [options]")
    // npm takes options before the `--` for its own.
    .configureHelp({
      commandUsage: (command) => new Help().commandUsage(command).replace(/^npm run \w+/, "$& --"),
    })
    .showHelpAfterError("`node cli/bootstrap.mjs --help` lists the commands.")
    .addHelpText(
      "after",
      `
Each has its options and examples in its own help: npm run plan -- --help
Plain Pulumi works too: npx pulumi up, npx pulumi preview, npx pulumi config set …`,
    );

  const command = (name: keyof typeof SUMMARIES, description: string, examples: string) =>
    program
      .command(name)
      .summary(SUMMARIES[name])
      .description(description)
      .showHelpAfterError(`\`npm run ${name} -- --help\` lists what there is.`)
      .addHelpText("after", `\nExamples:\n${examples}`);

  command(
    "start",
    "Sets up what is missing, creates the stack if it doesn't exist, and brings its cluster and streams up. Safe to repeat: it changes what the settings ask for, and nothing else.",
    `  npm start                      the stack dev, as on the first day
  npm start -- --stack staging   another one beside it`,
  )
    .option(
      STACK,
      `the stack to bring up ${DEFAULT}; a new one begins with the settings of dev, on ports of its own and with passwords of its own`,
    )
    .action((options) => begin(async () => (await import("./start/start.ts")).run(options)));

  command(
    "setup",
    "Sets up what is missing: Pulumi, its plugins, a Docker engine, the server image. Changes nothing else.",
    "  npm run setup",
  ).action(() => begin(async () => (await import("../tools/commands/setup.ts")).run()));

  command(
    "plan",
    "Says what settings would come to: the nodes with their ports and tags, where each stream would live and what it would survive, or why it can't be placed. Asks no server, changes nothing, and needs nothing set up: no Pulumi, no Docker, no passphrase. Ends with 1 if anything can't be placed, or is refused.",
    `  npm run plan                          the stack's own settings
  npm run plan wish.yaml                those of a file
  npm run -s plan wish.yaml -- --json   for programs, without what npm says`,
  )
    .argument(
      "[settings.yaml]",
      "settings to plan instead of the stack's own: a stack's file, or a plain YAML or JSON map, e.g. regions: [rg1, rg2]",
    )
    .option(STACK, "the stack that it would be (default: the file's, the selected one, else dev)")
    .option("--json", "the same for programs: PlanReport of cli/plan/plan-report.ts")
    .action((file, options) =>
      begin(async () => (await import("./plan/plan.ts")).run(file, options)),
    );

  command(
    "preview",
    "Shows what `up` would change: `pulumi preview --diff`, then in plain words which nodes come and go and where streams move. All options of `pulumi preview` may be given, and are passed on.",
    `  npm run preview
  npm run preview -- --stack staging --refresh`,
  )
    .option(STACK, `the stack to look at ${DEFAULT}`)
    .option("-j, --json", "only what Pulumi tells programs")
    .allowUnknownOption()
    .allowExcessArguments()
    .action((options) =>
      begin(async () => (await import("./preview/preview.ts")).run(options, passedOn(program))),
    );

  command(
    "status",
    "Looks at every node and stream of the running cluster: who is up, who leads, where the replicas live, and whether that is where they should be. Ends with 1 if anything is down, unwell or misplaced, or a certificate about to expire.",
    `  npm run status
  npm run -s status -- --json   for programs, without what npm says`,
  )
    .option(STACK, `the stack to look at ${DEFAULT}`)
    .option("--json", "the same for programs")
    .action((options) => begin(async () => (await import("./status/status.ts")).run(options)));

  command(
    "drill",
    "Rehearses a failure on the running cluster: takes nodes down, watches which streams can still be written to, brings the nodes back, and compares that with what the planner expects of the hosts that the replicas have. Nothing is written to any stream.\n\nEnds with 1 if a stream or the meta group did otherwise than expected, or anything isn't well within 60 s. It begins only where all is well, and brings the nodes back on Ctrl-C and on errors too. Should it be killed itself, `npm run drill -- restore` brings them back; so does `npx pulumi up --refresh` those that aren't paused.",
    `  npm run drill -- node rg1-az2             one node
  npm run drill -- zone rg1-az1             a zone of one region
  npm run drill -- zone az1                 the same zone in all regions
  npm run drill -- region rg2 --how pause   a region, frozen
  npm run drill -- leader ORDERS            the node that leads that stream now
  npm run drill -- leader "ORDERS (BILLING)"
                                            of another account than the first
  npm run drill -- restore                  start what a drill left down`,
  )
    .argument("[what...]", "node NAME, zone NAME, region NAME or leader STREAM; or restore")
    .option(STACK, `the stack to rehearse on ${DEFAULT}`)
    .addOption(
      new Option("--how <how>", "kill: SIGKILL, the hard case; stop: cleanly; pause: frozen")
        .choices(HOWS)
        .default("kill" as const),
    )
    .addOption(
      new Option("--for <time>", "how long nodes are away: 15s or more, to elect leaders")
        .argParser(parseAway)
        .default(20_000, "20s"),
    )
    .option("-y, --yes", "don't ask")
    .option("--allow-data-loss", "also where streams would lose messages that are in memory only")
    .option("--json", "for programs, in milliseconds: DrillReport of cli/drill/drill-report.ts")
    .action((words, options) =>
      begin(async () => (await import("./drill/drill.ts")).run(words, options)),
    );

  command(
    "destroy",
    "Takes a stack down: its containers, its volumes with all messages, its network. Settings stay, and data volumes where `keepVolumes` was set when the last `up` ran.",
    `  npm run destroy
  npm run destroy -- --stack staging --yes`,
  )
    .option(STACK, `the stack to destroy ${DEFAULT}`)
    .option("-y, --yes", "don't ask")
    .action((options) => begin(async () => (await import("./destroy/destroy.ts")).run(options)));

  command(
    "test",
    "Sets up what is missing, then runs all checks: format and lint, types, unit tests, tests against real nats-server processes, tests of the real CLI on real Docker, some of them under traffic. With arguments, only vitest runs, and is given all of them.",
    `  npm test
  npm test -- --project "unit*"       what needs neither servers nor Docker
  npm test -- --project server        providers against nats-server processes
  npm test -- --project programs      programs of others, with the package installed
  npm test -- --project stack cycle   a whole stack's life
  npm test -- --project traffic       what clients notice while nodes change, and fail`,
  )
    .argument("[vitest...]", "options and filters of vitest")
    .allowUnknownOption()
    .action(() =>
      begin(async () => (await import("../tools/commands/test.ts")).run(passedOn(program))),
    );

  const chaos = command(
    "chaos",
    "The long form of the tests that break things while clients publish and consume, some three hours: nodes reloaded, replaced, upgraded, added, taken out, the latter killed at each of its steps; rollouts, moves of streams and first starts killed or interrupted at random moments; nodes, zones and regions killed, paused, cut off; power cuts, as often as kills; a Docker engine of its own restarted during updates, eight times; machines of regions killed, rebooted, cut off, their engines stopped, before updates and during them, and the operator killed; TLS turned off and on, certificates that come due; twenty cold starts; 20,000 placements, and as many settings. It says what was acknowledged and stored, and how long streams were away.\n\nA run is repeated by KILL_SEED, PLACEMENT_SEED and SETTINGS_SEED, which it prints; one fault of a machine by its number, MACHINE_FAULT, too. Uses stacks of its own. Power cuts, partitions, machines and the engine of its own need root.",
    `  npm run chaos
  npm run chaos -- placement
  npm run chaos -- --kills 1 --rounds 1 faults power-loss
  npm run chaos -- machines-faults
  npm run chaos -- machines`,
  )
    .helpCommand(false)
    .addArgument(
      new Argument("[part...]", "what to run instead of all").choices(CHAOS_FILES.map(partOf)),
    )
    .option("--kills <n>", "how often each is killed or interrupted", parseCount, 20)
    .option("--rounds <n>", "how many rounds of nodes, zones and regions that fail", parseCount, 3)
    .action((parts, options) =>
      begin(async () => (await import("../tools/commands/chaos.ts")).run(parts, options)),
    );
  chaos
    .command("machines")
    .description(
      "Starts several machines on this one, for you to play with: each has a Docker engine, an sshd and an address of its own, and between them is a network whose delays, losses and cuts you set at its prompt. Keeps them until Ctrl-C, then removes all of it. Needs root and Linux.",
    )
    .addHelpText("after", "\nExamples:\n  npm run chaos -- machines --count 2")
    .option("--count <n>", "how many", parseCount, 3)
    .action((options) =>
      begin(async () => (await import("../tools/commands/machines.ts")).run(options)),
    );

  const bench = command(
    "bench",
    "Measures a cluster's life on this machine: cold up, no-op preview and up, a stream moved by a changed tag, nodes reloaded and replaced, destroy; and in the same run two yardsticks: the example's own flow with plain processes, and OpenTofu if it is installed. Says what is slower, or takes more memory, than in the committed figures. Writes every figure to bench-results/. Uses a stack of its own.",
    `  npm run bench -- --runs 5
  npm run bench -- streams --counts 100,300
  npm run bench -- machines --runs 2
  npm run bench -- processes
  npm run bench -- against HEAD~1`,
  )
    .helpCommand(false)
    // A command of its own comes before it: this one is for words that are none, of which the error lists what there is.
    .addArgument(new Argument("[what]", "what to measure instead").choices(BENCHES))
    .option("--runs <n>", "how often", parseCount, 3)
    .option("--strict", "end with 1 if anything is worse than in the committed figures")
    .option("--save", "write the committed figures and their tables in docs/faults-and-speed.md")
    .action((_, options) =>
      begin(async () => (await import("../tools/commands/bench.ts")).benchCycle(options)),
    );
  bench
    .command("streams")
    .description(
      "Measures what more and more streams of three replicas cost, each step on top of the one before: with PULUMI_SKIP_CHECKPOINTS=false, then as `npx pulumi` has it.",
    )
    .addHelpText("after", "\nExamples:\n  npm run bench -- streams --counts 100,300")
    .addOption(
      new Option("--counts <n,n…>", "how many streams there are at each step")
        .argParser((text) => text.split(",").map(parseCount))
        .default([100, 300, 1000], "100,300,1000"),
    )
    .option("--as-is", "measure only what `npx pulumi` does by itself")
    .option("--save", "write the figures in docs/faults-and-speed.md")
    .action((options) =>
      begin(async () => (await import("../tools/commands/bench.ts")).benchStreams(options)),
    );
  bench
    .command("machines")
    .description(
      "Measures the same life with its nodes on this machine's engine, on one machine by ssh, and on three, next to each other and far apart, in turns. Needs Linux and root.",
    )
    .addHelpText("after", "\nExamples:\n  npm run bench -- machines --runs 2")
    .option("--runs <n>", "how often", parseCount, 3)
    .option("--save", "write the figures in docs/faults-and-speed.md")
    .action((options) =>
      begin(async () => (await import("../tools/commands/bench.ts")).benchMachines(options)),
    );
  bench
    .command("processes")
    .description(
      "Measures only the CPU time and the memory of the processes behind each step of that life.",
    )
    .addHelpText("after", "\nExamples:\n  npm run bench -- processes --runs 2")
    .option("--runs <n>", "how often", parseCount, 1)
    .action((options) =>
      begin(async () => (await import("../tools/commands/bench.ts")).benchProcesses(options)),
    );
  bench
    .command("against")
    .description("Measures the same life by this version and by another one, in turns.")
    .addHelpText("after", "\nExamples:\n  npm run bench -- against HEAD~1 --runs 2")
    .argument("<git ref>", "the other version, e.g. HEAD~1")
    .option("--runs <n>", "how often", parseCount, 3)
    .action((ref, options) =>
      begin(async () => (await import("../tools/commands/bench.ts")).benchAgainst(ref, options)),
    );

  command(
    "package",
    "Writes the package that other programs install into the working directory.",
    "  npm run package",
  ).action(() => begin(async () => (await import("../tools/commands/package.ts")).run()));

  return program;
}

/** What comes after the name of a command. Behind npm there is no `--` any more; where node itself runs it, there is. */
function passedOn({ args: [, ...rest] }: Pick<Command, "args">): string[] {
  return rest[0] === "--" ? rest.slice(1) : rest;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new InvalidArgumentError("It is no number; use 1 or more.");
}
