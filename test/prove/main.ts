/** `npm run prove -- <subcommand>`: proofs that run the product as it is used and count what went wrong. */
import { Command } from 'commander';
import { chooseSeed } from '../harness/random.ts';
import { type BudgetPlan, proveBudget } from './budget.ts';
import { proveCache } from './cache.ts';
import { proveClients } from './clients.ts';
import { proveCompression } from './compression.ts';
import { proveCrash } from './crash.ts';
import { proveFaults } from './faults.ts';
import { proveFuzz } from './fuzz.ts';
import { proveMatrix } from './matrix/matrix.ts';
import { proveMutants } from './mutants.ts';
import { proveSimulation } from './simulation.ts';

const program = new Command('prove')
  .description('Runs the product as it is used, harms it, and counts what the readers lost.')
  .showHelpAfterError('Run with --help for what can be proved.');

program
  .command('crash')
  .description(
    'Kills the worker that streams, another worker or the API at a random time of each generation.',
  )
  .option('--runs <count>', 'generations at the provider that can reattach', wholeNumber, 20)
  .option(
    '--prefill-runs <count>',
    'generations at the provider that must be paid for its prefix',
    wholeNumber,
    4,
  )
  .option('--seed <seed>', 'repeats the same crashes', wholeNumber)
  .action(async (options: { runs: number; prefillRuns: number; seed?: number }) => {
    const proved = await proveCrash({ ...options, seed: options.seed ?? chooseSeed() });
    process.exitCode = proved ? 0 : 1;
  });

program
  .command('compression')
  .description('Shortens documents and looks for known answers in what is left.')
  .option('--seed <seed>', 'of the order of documents and of what is dropped by chance', wholeNumber, 1)
  .option('--verbose', 'name each question whose answer was lost')
  .action(async (options: { seed: number; verbose?: boolean }) => {
    const proved = await proveCompression({ seed: options.seed, verbose: options.verbose === true });
    process.exitCode = proved ? 0 : 1;
  });

program
  .command('clients')
  .description('Tries the official clients of every format, from npm and PyPI, unmodified, over the network.')
  .action(async () => {
    process.exitCode = (await proveClients()) ? 0 : 1;
  });

program
  .command('faults')
  .description('Shows every fault of a provider to the running product, and checks what the caller got.')
  .option('--only <text>', 'cases whose number (such as c09) or name has this')
  .action(async ({ only }: { only?: string }) => {
    process.exitCode = (await proveFaults(only)) ? 0 : 1;
  });

program
  .command('budget')
  .description(
    'Spends against small budgets from many processes and generations, and kills them in the middle.',
  )
  .option('--reservations <count>', 'reservations at once on the ledger', wholeNumber, 12_000)
  .option('--processes <count>', 'processes that reserve', wholeNumber, 6)
  .option('--kills <count>', 'of these processes', wholeNumber, 12)
  .option('--generations <count>', 'whole generations, with workers killed', wholeNumber, 80)
  .option('--seed <seed>', 'repeats the same plan', wholeNumber)
  .action(async (options: Omit<BudgetPlan, 'seed'> & { seed?: number }) => {
    const proved = await proveBudget({ ...options, seed: options.seed ?? chooseSeed() });
    process.exitCode = proved ? 0 : 1;
  });

program
  .command('matrix')
  .description(
    'Kills, stops and cuts off every kind of process under load, and judges what all got and paid.',
  )
  .option('--minutes <minutes>', 'how long there is harm', positive, 10)
  .option('--at-once <count>', 'callers', wholeNumber, 8)
  .option('--seed <seed>', 'plans the same requests and the same harm', wholeNumber)
  .action(async (options: { minutes: number; atOnce: number; seed?: number }) => {
    process.exitCode = (await proveMatrix({ ...options, seed: options.seed ?? chooseSeed() })) ? 0 : 1;
  });

program
  .command('cache')
  .description(
    'Counts what the semantic cache finds and what it would give wrongly, over the labelled pairs.',
  )
  .option('--seed <seed>', 'of the made-up traffic', wholeNumber, 1)
  .action(async ({ seed }: { seed: number }) => {
    process.exitCode = (await proveCache({ seed })) ? 0 : 1;
  });

program
  .command('fuzz')
  .description(
    'Sends what nobody should to every route, socket, parser and file, counts what was not taken well, and finds what keeps others waiting.',
  )
  .option('--inputs <count>', 'in all, shared out to the surfaces', wholeNumber, 20_000)
  .option('--every-split', 'recorded streams of providers are split at every byte, and not only at some')
  .option('--cost [text]', 'only searches for what keeps others waiting, by inputs whose name has the text')
  .option('--seed <seed>', 'makes the same inputs', wholeNumber)
  .action(async (options: { inputs: number; everySplit?: boolean; cost?: string | true; seed?: number }) => {
    const { inputs, everySplit = false, cost } = options;
    const onlyCost = cost === undefined ? null : cost === true ? '' : cost;
    const seed = options.seed ?? chooseSeed();
    process.exitCode = (await proveFuzz({ inputs, everySplit, onlyCost, seed })) ? 0 : 1;
  });

program
  .command('simulation')
  .description('Runs the core against a simulated world, under orders of events that a seed chooses.')
  .option('--runs <count>', 'orders; 1 prints every step', wholeNumber, 1_000_000)
  .option('--seed <seed>', 'of the first order; the others have the next numbers', wholeNumber)
  .option('--failures <count>', 'of each thread, after which it ends', wholeNumber, 3)
  .action(async (options: { runs: number; seed?: number; failures: number }) => {
    const { runs, seed = chooseSeed(), failures: mostFailures } = options;
    process.exitCode = (await proveSimulation({ runs, seed, mostFailures })) ? 0 : 1;
  });

program
  .command('mutants')
  .description('Puts real bugs back, one at a time, and runs the check that must see each.')
  .option('--only <text>', 'mutants whose name has this')
  .action(async ({ only }: { only?: string }) => {
    process.exitCode = (await proveMutants(only)) ? 0 : 1;
  });

function positive(value: string): number {
  const number = Number(value);
  if (!(number > 0 && number < 10_000)) program.error(`error: "${value}" is not a number above 0`);
  return number;
}

function wholeNumber(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0)
    program.error(`error: "${value}" is not a whole number from 0`);
  return number;
}

await program.parseAsync();
