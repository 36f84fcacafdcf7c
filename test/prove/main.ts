/** `npm run prove -- <subcommand>`: proofs that run the product as it is used and count what went wrong. */
import { Command } from 'commander';
import { chooseSeed } from '../harness/random.ts';
import { type BudgetPlan, proveBudget } from './budget.ts';
import { proveCache } from './cache/prove-cache.ts';
import { proveClients } from './clients.ts';
import { proveCluster } from './cluster/cluster.ts';
import { proveCompression } from './compression.ts';
import { proveCrash } from './crash.ts';
import { proveFailoverBench } from './failover-bench/failover-bench.ts';
import { proveFaults } from './faults.ts';
import { proveFields } from './fields.ts';
import { proveFuzz } from './fuzz.ts';
import { proveHelm } from './helm.ts';
import { proveImage } from './image/image.ts';
import { type JobsPlan, proveJobs } from './jobs/jobs.ts';
import { proveMatrix } from './matrix/matrix.ts';
import { proveMutants } from './mutants.ts';
import { proveNewcomer } from './newcomer/newcomer.ts';
import { proveOpenResponses } from './open-responses.ts';
import { provePackages } from './packages.ts';
import { proveSimulation } from './simulation.ts';
import { proveUpstreams } from './upstreams.ts';

const program = new Command('prove')
  .description(
    'Runs the whole product, breaks it on purpose, and counts what readers lost and what was paid twice.',
  )
  .showHelpAfterError('Run with --help for what can be proved.');

program
  .command('crash')
  .description(
    'Kills the worker that streams, another worker or the API at a random time of each generation.',
  )
  .option('--runs <count>', 'generations at the provider that can reattach', wholeNumber, 20)
  .option(
    '--prefill-runs <count>',
    'generations at the provider that continues by prefill, and bills it',
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
  .description('Compresses documents and counts the known answers that are still in them.')
  .option(
    '--seed <seed>',
    'chooses the order of the documents and what the random baseline drops',
    wholeNumber,
    1,
  )
  .option('--verbose', 'name each question whose answer was lost')
  .action(async (options: { seed: number; verbose?: boolean }) => {
    const proved = await proveCompression({ seed: options.seed, verbose: options.verbose === true });
    process.exitCode = proved ? 0 : 1;
  });

program
  .command('fields')
  .description(
    "Sends every field of the vendors' requests through the product, and looks for it at the provider.",
  )
  .option('--write', 'write the table and docs/wires-fields.md from what was found')
  .action(async ({ write }: { write?: boolean }) => {
    process.exitCode = (await proveFields({ write: write === true })) ? 0 : 1;
  });

program
  .command('open-responses')
  .description('Asks the questions of Open Responses, and validates every object and event of the answers.')
  .action(async () => {
    process.exitCode = (await proveOpenResponses()) ? 0 : 1;
  });

program
  .command('clients')
  .description(
    'Tries the official clients of every format, and agents and frameworks, from npm and PyPI, all unmodified.',
  )
  .option('--only <names...>', 'clients whose names contain one of these, such as codex or langchain')
  .action(async ({ only = [] }: { only?: string[] }) => {
    process.exitCode = (await proveClients(only)) ? 0 : 1;
  });

program
  .command('upstreams')
  .description('Puts the product in front of providers that we did not write, on every wire.')
  .option('--only <text>', 'rows whose name has this')
  .action(async ({ only }: { only?: string }) => {
    process.exitCode = (await proveUpstreams(only)) ? 0 : 1;
  });

program
  .command('faults')
  .description('Simulates every fault of a provider, and checks what the caller of the product receives.')
  .option('--only <text>', 'cases whose number (such as c09) or name has this')
  .action(async ({ only }: { only?: string }) => {
    process.exitCode = (await proveFaults(only)) ? 0 : 1;
  });

program
  .command('failoverbench')
  .description('Runs the sixteen faults of Failover Bench, with default settings and two upstreams.')
  .option('--only <scenario>', 'one scenario, such as S08')
  .action(async ({ only }: { only?: string }) => {
    process.exitCode = (await proveFailoverBench(only)) ? 0 : 1;
  });

program
  .command('budget')
  .description(
    'Spends against small budgets from many processes, kills them meanwhile, and checks the balances.',
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
    'Kills, freezes and cuts off every kind of process under load, and checks what readers got and paid.',
  )
  .option('--minutes <minutes>', 'how long processes are killed and cut off', positive, 10)
  .option('--at-once <count>', 'concurrent callers', wholeNumber, 8)
  .option('--seed <seed>', 'plans the same requests and the same faults', wholeNumber)
  .action(async (options: { minutes: number; atOnce: number; seed?: number }) => {
    const findings = await proveMatrix({ ...options, seed: options.seed ?? chooseSeed() });
    process.exitCode = findings.length === 0 ? 0 : 1;
  });

program
  .command('jobs')
  .description(
    'Sends batches, pipelines and schedules while processes are killed, and checks files, documents, webhooks and bills.',
  )
  .option(
    '--lines <count>',
    'of the largest batch; a cancelled one and a message batch have a tenth of them',
    wholeNumber,
    10_000,
  )
  .option('--pipelines <count>', 'jobs with five to seven generations each', wholeNumber, 50)
  .option('--minutes <minutes>', 'how long processes are killed and cut off at most', positive, 10)
  .option('--seed <seed>', 'plans the same lines and the same faults', wholeNumber)
  .action(async (options: Omit<JobsPlan, 'seed'> & { seed?: number }) => {
    const faults = await proveJobs({ ...options, seed: options.seed ?? chooseSeed() });
    process.exitCode = faults.length === 0 ? 0 : 1;
  });

program
  .command('cluster')
  .description(
    'Runs clusters of Temporal, Redis and Qdrant here, kills their nodes under load, and compares them with one machine.',
  )
  .option('--minutes <minutes>', 'how long nodes are killed', positive, 10)
  .option('--at-once <count>', 'concurrent callers', wholeNumber, 4)
  .option('--seed <seed>', 'plans the same requests and the same faults', wholeNumber)
  .option('--no-figures', 'only the faults')
  .action(async (options: { minutes: number; atOnce: number; seed?: number; figures: boolean }) => {
    const { figures: isMeasured, seed = chooseSeed(), ...plan } = options;
    process.exitCode = (await proveCluster({ ...plan, seed, isMeasured })) ? 0 : 1;
  });

program
  .command('cache')
  .description('Counts paraphrases found and wrong answers of the semantic cache, on the labelled pairs.')
  .option('--seed <seed>', 'of the synthetic traffic', wholeNumber, 1)
  .action(async ({ seed }: { seed: number }) => {
    process.exitCode = (await proveCache({ seed })) ? 0 : 1;
  });

program
  .command('fuzz')
  .description(
    'Sends bad input to every route, socket, parser and file, counts crashes and wrong errors, and finds inputs that delay other requests.',
  )
  .option('--inputs <count>', 'total number of inputs, over all surfaces', wholeNumber, 20_000)
  .option('--every-split', 'split recorded streams of providers at every byte; default: at some')
  .option(
    '--cost [text]',
    'only search for inputs that delay other requests, among those whose name has the text',
  )
  .option('--seed <seed>', 'makes the same inputs', wholeNumber)
  .action(async (options: { inputs: number; everySplit?: boolean; cost?: string | true; seed?: number }) => {
    const { inputs, everySplit = false, cost } = options;
    const onlyCost = cost === undefined ? null : cost === true ? '' : cost;
    const seed = options.seed ?? chooseSeed();
    process.exitCode = (await proveFuzz({ inputs, everySplit, onlyCost, seed })) ? 0 : 1;
  });

program
  .command('newcomer')
  .description(
    'Clones, starts with empty caches, asks, opens the page, and installs the packages elsewhere; prints the seconds.',
  )
  .action(async () => {
    process.exitCode = (await proveNewcomer()) ? 0 : 1;
  });

program
  .command('simulation')
  .description('Runs the core in a simulated world, with orders of events that a seed chooses.')
  .option('--runs <count>', 'orders; 1 prints every step', wholeNumber, 1_000_000)
  .option('--seed <seed>', 'of the first order; the others have the next numbers', wholeNumber)
  .option('--failures <count>', 'after which a thread stops', wholeNumber, 3)
  .action(async (options: { runs: number; seed?: number; failures: number }) => {
    const { runs, seed = chooseSeed(), failures: mostFailures } = options;
    process.exitCode = (await proveSimulation({ runs, seed, mostFailures })) ? 0 : 1;
  });

program
  .command('image')
  .description(
    'Runs the steps of the Dockerfile in a clean folder, starts what they make, and prints its size.',
  )
  .action(async () => {
    process.exitCode = (await proveImage()) ? 0 : 1;
  });

program
  .command('helm')
  .description(
    'Renders the Helm chart with Helm, and checks what it renders against the schemas of Kubernetes.',
  )
  .option('--write', 'replace the renderings that the tests read')
  .action(async ({ write = false }: { write?: boolean }) => {
    process.exitCode = (await proveHelm(write)) ? 0 : 1;
  });

program
  .command('packages')
  .description('Lists what ships with the packages, checks licences and advisories, and writes the SBOMs.')
  .option('--folder <folder>', 'where the SBOMs are written', 'coverage/sbom')
  .option('--must-audit', 'fail if the registry answers no audit, as before a release')
  .action(({ folder, mustAudit = false }: { folder: string; mustAudit?: boolean }) => {
    process.exitCode = provePackages({ folder, mustAudit }) ? 0 : 1;
  });

program
  .command('mutants')
  .description('Puts real bugs back, one at a time, and runs the check that must catch each.')
  .option('--only <names...>', 'mutants whose names contain one of these, such as lease or refund')
  .action(async ({ only = [] }: { only?: string[] }) => {
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
