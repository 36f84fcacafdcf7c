import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import type { GenerationRequest } from '../client/index.ts';
import { formatUsd } from '../contracts/money.ts';
import { addBudgetCommands } from './commands/budgets.ts';
import { type ConnectionFlags, connect, reportFailure, withConnection } from './commands/connection.ts';
import { addKeyCommands } from './commands/keys.ts';
import { printFindings } from './commands/print-doctor.ts';
import { printGeneration } from './commands/print-generation.ts';
import { type ModelFlags, printModels } from './commands/print-models.ts';
import { printExplanation, printProviders } from './commands/print-routing.ts';

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

function requestOf(input: string, flags: GenerateFlags): GenerationRequest {
  const { system, model, route, task, priority, deadline, user, maxOutputTokens } = flags;
  return {
    input,
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
  .option('--idempotency-key <key>')
  .option('--json', 'print the events, one a line')
  .action(async (prompt: string | undefined, flags: GenerateFlags) => {
    const input = flags.file === undefined ? prompt : await readFile(flags.file, 'utf8');
    if (!input) throw new Error('Give a prompt, or a file with -f.');
    const key = flags.idempotencyKey;
    const submitted = key === undefined ? {} : { idempotencyKey: key };
    const generation = await connect(flags).generate(requestOf(input, flags), submitted);
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
    const { examine } = await import('../services/doctor/examine.ts');
    process.exitCode = printFindings(await examine(process.env), json === true);
  });

addKeyCommands(
  program.command('keys').description('make, list, rotate and revoke API keys; needs an admin key'),
);

addBudgetCommands(program.command('budgets').description('limits, balances and entries of the budgets'));

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error);
}
