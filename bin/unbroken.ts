import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import type { GenerationRequest } from '../clients/typescript/index.ts';
import { formatUsd } from '../contracts/money.ts';
import { addBudgetCommands } from './commands/budgets.ts';
import { type ConnectionFlags, connect, reportFailure, withConnection } from './commands/connection.ts';
import { addDeploymentCommands } from './commands/deployments.ts';
import { addKeyCommands } from './commands/keys.ts';
import { printFindings } from './commands/print-doctor.ts';
import { printGeneration } from './commands/print-generation.ts';
import { type ModelFlags, printModels } from './commands/print-models.ts';
import { printExplanation, printProviders } from './commands/print-routing.ts';
import { addPromptCommands } from './commands/prompts.ts';

interface GenerateFlags extends ConnectionFlags {
  readonly file?: string;
  readonly system?: string;
  readonly model?: string;
  readonly route?: string;
  readonly task?: string;
  readonly priority?: string;
  readonly deadline?: string;
  readonly maxOutputTokens?: string;
  readonly user?: string;
  readonly prompt?: string;
  readonly var?: string[];
  readonly compress?: string;
  readonly idempotencyKey?: string;
  readonly json?: boolean;
}

const program = new Command('unbroken').description('Durable LLM generation: every token, exactly once.');

function command(name: string, description: string): Command {
  return withConnection(program.command(name).description(description));
}

function onInterrupt(generationId: string): void {
  process.once('SIGINT', () => {
    console.error(`\nThe generation goes on. Follow it: unbroken follow ${generationId}`);
    process.exit(130);
  });
}

/** `name`, `name@3` or `name@label`, with `--var name=value` for each variable. */
function promptOf(prompt: string, variables: readonly string[]): GenerationRequest['prompt'] {
  const [name = '', which] = prompt.split('@');
  const pairs = variables.map((pair) => {
    const equals = pair.indexOf('=');
    if (equals < 1) throw new Error(`--var ${pair}: expected name=value.`);
    return [pair.slice(0, equals), pair.slice(equals + 1)] as const;
  });
  const chosen =
    which === undefined ? {} : /^\d+$/.test(which) ? { version: Number(which) } : { label: which };
  return { name, ...chosen, variables: Object.fromEntries(pairs) };
}

function requestOf(input: string | undefined, flags: GenerateFlags): GenerationRequest {
  const { system, model, route, task, priority, deadline, user, maxOutputTokens, prompt, compress } = flags;
  return {
    ...(input === undefined ? {} : { input }),
    ...(prompt === undefined ? {} : { prompt: promptOf(prompt, flags.var ?? []) }),
    ...(compress === undefined ? {} : { compression: { keep: Number(compress) } }),
    ...(system === undefined ? {} : { system }),
    ...(model === undefined ? {} : { model }),
    ...(route === undefined ? {} : { route }),
    ...(task === undefined ? {} : { task }),
    ...(priority === undefined ? {} : { priority: Number(priority) }),
    ...(deadline === undefined ? {} : { deadlineMs: Number(deadline) * 1_000 }),
    ...(user === undefined ? {} : { user }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens: Number(maxOutputTokens) }),
  };
}

command('generate', 'generate and print the text as it comes')
  .argument('[prompt]')
  .option('-f, --file <path>', 'read the prompt from a file')
  .option('--system <text>')
  .option('--model <provider/model>')
  .option('--route <name>')
  .option('--task <kind>', 'simple, complex, code, or what the route knows')
  .option('--priority <1-5>', '1 goes first where many wait')
  .option('--deadline <seconds>', 'end with an error after this time')
  .option('--max-output-tokens <count>')
  .option('--user <user>')
  .option('--prompt <name@version>', 'a named prompt, also name@label; the prompt argument is then its input')
  .option('--var <name=value...>', 'a variable of the named prompt')
  .option('--compress <share>', 'keep this share of the context, such as 0.5')
  .option('--idempotency-key <key>')
  .option('--json', 'print the events, one a line')
  .action(async (prompt: string | undefined, flags: GenerateFlags) => {
    const input = flags.file === undefined ? prompt : await readFile(flags.file, 'utf8');
    if (!input && flags.prompt === undefined) throw new Error('Give a prompt, or a file with -f.');
    const key = flags.idempotencyKey;
    const submitted = key === undefined ? {} : { idempotencyKey: key };
    const generation = await connect(flags).generate(requestOf(input || undefined, flags), submitted);
    onInterrupt(generation.id);
    process.exitCode = await printGeneration(generation, flags.json === true);
  });

command('explain', 'which models a prompt would go to, in which order, why, and at what cost')
  .argument('<prompt>')
  .option('--system <text>')
  .option('--model <provider/model>')
  .option('--route <name>')
  .option('--task <kind>', 'simple, complex, code, or what the route knows')
  .option('--max-output-tokens <count>')
  .option('--json', 'print JSON')
  .action(async (prompt: string, flags: GenerateFlags) => {
    printExplanation(await connect(flags).explain(requestOf(prompt, flags)), flags.json === true);
  });

command('providers', 'circuits and speed of the models that were asked lately, and the state of keys')
  .option('--json', 'print JSON')
  .action(async (flags: ConnectionFlags & { json?: boolean }) => {
    printProviders(await connect(flags).providers(), flags.json === true);
  });

command('follow', 'follow a generation from where you left it')
  .argument('<id>')
  .option('--after <seq>', 'the last seq that you have', '-1')
  .option('--json', 'print the events, one a line')
  .action(async (id: string, flags: ConnectionFlags & { after: string; json?: boolean }) => {
    onInterrupt(id);
    const events = connect(flags).follow(id, { after: Number(flags.after) });
    process.exitCode = await printGeneration(events, flags.json === true);
  });

command('cancel', 'cancel a generation')
  .argument('<id>')
  .action(async (id: string, flags: ConnectionFlags) => {
    await connect(flags).cancel(id);
    console.error(`Cancelling ${id}.`);
  });

command('continue', 'go on with an answer that ended by its length')
  .argument('<id>')
  .option('--max-output-tokens <count>', 'for the new part')
  .option('--model <provider/model>')
  .option('--json', 'print the events, one a line')
  .action(
    async (
      id: string,
      flags: ConnectionFlags & { maxOutputTokens?: string; model?: string; json?: boolean },
    ) => {
      const { model, maxOutputTokens } = flags;
      const generation = await connect(flags).continue(id, {
        ...(model === undefined ? {} : { model }),
        ...(maxOutputTokens === undefined ? {} : { maxOutputTokens: Number(maxOutputTokens) }),
      });
      onInterrupt(generation.id);
      process.exitCode = await printGeneration(generation, flags.json === true);
    },
  );

command('feedback', 'say what an answer was worth, from -1 to 1')
  .argument('<id>')
  .argument('<score>')
  .argument('[comment]')
  .action(async (id: string, score: string, comment: string | undefined, flags: ConnectionFlags) => {
    const given = { score: Number(score), ...(comment === undefined ? {} : { comment }) };
    const kept = await connect(flags).giveFeedback(id, given);
    const prompt = kept.prompt === null ? '' : ` for ${kept.prompt.name}@${kept.prompt.version}`;
    console.error(`Noted ${kept.score}${prompt}.`);
  });

addPromptCommands(command('prompts', 'named prompts: versions, labels, and what each costs'));

command('runs', 'list the newest generations')
  .option('--limit <count>', 'how many', '20')
  .action(async (flags: ConnectionFlags & { limit: string }) => {
    for (const run of await connect(flags).list({ limit: Number(flags.limit) })) {
      const model = run.model === null ? '-' : `${run.provider}/${run.model}`;
      console.log([run.id, run.status, model, run.user, formatUsd(run.costMicroUsd ?? 0)].join('\t'));
    }
  });

program
  .command('models')
  .description('list the models that the configuration knows: window, price, abilities')
  .argument('[name]', 'a part of the name')
  .option('--provider <name>')
  .option('--available', 'only those whose key is set')
  .option('--tools', 'only those that call tools')
  .option('--vision', 'only those that take images')
  .option('--json-schema', 'only those whose answer can be held to a schema')
  .option('--reasoning', 'only those that think')
  .option('--prefill', 'only those that go on from their own cut answer')
  .option('--reattach', 'only those whose cut answer is taken up again')
  .option('--json', 'print JSON')
  .action((name: string | undefined, flags: ModelFlags) => printModels(name, flags));
program
  .command('doctor')
  .description(
    'check every service, version and setting, and say what to do; exit code 1 where something is wrong',
  )
  .option('--json', 'print JSON')
  .action(async ({ json }: { json?: boolean }) => {
    const { examine } = await import('../tools/services/doctor/examine.ts');
    process.exitCode = printFindings(await examine(process.env), json === true);
  });

addDeploymentCommands(
  program
    .command('deployments')
    .description('versions of the workers: which one takes new generations; asks Temporal'),
);

addKeyCommands(
  program.command('keys').description('make, list, rotate and revoke API keys; needs an admin key'),
);

addBudgetCommands(program.command('budgets').description('limits, balances and entries of the budgets'));

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error);
}
