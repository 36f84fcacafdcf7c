/** `npm run bench -- <subcommand>`: measurements of real processes on this machine. */
import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { benchBatch } from './batch.ts';
import { benchCache } from './cache.ts';
import { benchGrowth } from './growth.ts';
import { benchPeers } from './peers.ts';
import { benchPromptCaching } from './prompt-caching.ts';
import { benchRelay } from './relay.ts';
import { benchRouting } from './routing.ts';
import { benchCosts } from './scale/measure-costs.ts';
import { benchScale } from './scale/scale.ts';
import { benchSoak } from './soak.ts';
import { benchTimeToFirstToken } from './ttft.ts';

const program = new Command('bench')
  .description('Measures real processes on this machine.')
  .showHelpAfterError('Run with --help for what can be measured.');

program
  .command('ttft')
  .description('Time to first token through Unbroken and straight from the simulated provider, in one run.')
  .option('--requests <count>', 'requests of each kind at each concurrency', wholeNumber, 200)
  .action(async ({ requests }: { requests: number }) => {
    console.log(`All processes and the load share ${availableParallelism()} cores; one API, one worker.`);
    await benchTimeToFirstToken(requests);
  });

program
  .command('routing')
  .description('What routing, the choice of a key and the circuit breaker cost a generation.')
  .option('--calls <count>', 'calls a row', wholeNumber, 5_000)
  .action(async ({ calls }: { calls: number }) => {
    console.log(`All processes and the load share ${availableParallelism()} cores.`);
    await benchRouting(calls);
  });

program
  .command('peers')
  .description(
    'Unbroken, LiteLLM, Restate, bare Temporal and the provider itself under the same load, in one run.',
  )
  .option('--requests <count>', 'requests of each at each concurrency', wholeNumber, 300)
  .action(async ({ requests }: { requests: number }) => {
    console.log(
      `All processes and the load share ${availableParallelism()} cores; one worker process of each.`,
    );
    await benchPeers(requests);
  });

program
  .command('cache')
  .description('Time to first token of a hit and of a miss, and look-ups among many stored answers.')
  .option('--requests <count>', 'requests of each kind', wholeNumber, 100)
  .option(
    '--entries <counts>',
    'stored answers to look up among, ascending, with commas',
    counts,
    [1_000, 100_000],
  )
  .action(async ({ requests, entries }: { requests: number; entries: readonly number[] }) => {
    console.log(`All processes share ${availableParallelism()} cores; one API, one worker.`);
    await benchCache({ requests, entries });
  });

function counts(value: string): number[] {
  return value.split(',').map(wholeNumber);
}

program
  .command('relay')
  .description('What one API process relays to many viewers: delay, tokens per second, memory, reconnects.')
  .option('--viewers <counts>', 'numbers of viewers, with commas between', '1,100,1000,5000')
  .option('--seconds <count>', 'how long each row is measured', wholeNumber, 10)
  .option('--rate <count>', 'tokens per second of each generation', wholeNumber, 20)
  .action(async ({ viewers, seconds, rate }: { viewers: string; seconds: number; rate: number }) => {
    console.log(`All processes and the load share ${availableParallelism()} cores; one API.`);
    const counts = viewers.split(',').map(wholeNumber);
    await benchRelay({ viewers: counts, seconds, tokensPerSecond: rate });
  });

program
  .command('soak')
  .description(
    'A long constant load; fails if a generation fails, or if memory, files, Redis or histories grow.',
  )
  .option('--minutes <count>', 'how long', wholeNumber, 20)
  .option('--rate <count>', 'generations that begin each second', wholeNumber, 8)
  .action(async (plan: { minutes: number; rate: number }) => {
    if (!(await benchSoak(plan))) process.exitCode = 1;
  });

program
  .command('batch')
  .description(
    'Batches of 100 to 100,000 lines: lines per second, CPU per line, and memory, which must not grow.',
  )
  .option(
    '--most <lines>',
    'no batch with more lines; 100,000 take an hour on two cores',
    wholeNumber,
    100_000,
  )
  .action(async ({ most }: { most: number }) => {
    console.log(`All processes share ${availableParallelism()} cores; one API, one worker.`);
    const sizes = [100, 1_000, 10_000, 100_000].filter((lines) => lines <= most);
    if (!(await benchBatch(sizes.length === 0 ? [most] : sizes))) process.exitCode = 1;
  });

program
  .command('costs')
  .description('What a generation costs each process, Redis, Temporal and Qdrant; takes some three minutes.')
  .option('--write', 'keep the figures, in tools/bench/scale/measured.json', false)
  .action(async ({ write }: { write: boolean }) => benchCosts(write));

program
  .command('scale')
  .description(
    'What 1 million to a billion generations a day need, and a simulation, from the measured costs.',
  )
  .option('--write', 'write the figures of docs/scale.md', false)
  .action(({ write }: { write: boolean }) => benchScale(write));

program
  .command('prompt-caching')
  .description("The bill of an agent's session with and without prompt caching; the same on every machine.")
  .option('--turns <count>', 'turns of the session', wholeNumber, 30)
  .action(async ({ turns }: { turns: number }) => benchPromptCaching(turns));

program
  .command('growth')
  .description('The cost of a generation by its length and by concurrency; fails if histories grow.')
  .option('--only <text>', 'rows whose name has this', '')
  .action(async ({ only }: { only: string }) => {
    if (!(await benchGrowth(only))) process.exitCode = 1;
  });

function wholeNumber(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    program.error(`error: "${value}" is not a whole number from 1`);
  return number;
}

await program.parseAsync();
