/** Kills a process in each generation and compares what the reader got with what the provider generated. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '../../contracts/limits.ts';
import { compareReading, faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { createRandom, type Random } from '../harness/random.ts';
import { type Reading, startReading } from '../harness/reader.ts';
import { startSharedServices } from '../harness/shared-services.ts';
import { type Seat, type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, streamingWorker } from '../harness/streaming-worker.ts';
import { pause } from '../harness/wait-for.ts';

const TOKENS = 400;
/** The kill falls into the first task of the run, or after it. */
const IN_FIRST_TASK = { delayMs: 8, fromMs: 20 } as const;
const ADOPTED = { delayMs: 35, fromMs: LIMITS.adoptLeasedStreamAfterMs + 500 } as const;
/** One run in so many is killed after an activity has adopted the stream: that takes its time. */
const ADOPTED_EVERY = 4;
const RUN_WITHIN_MS = 90_000;
const REATTACH = 'simulated/sim-large';
const PREFILL = 'simulated-messages/sim-large';

interface CrashPlan {
  readonly runs: number;
  readonly prefillRuns: number;
  readonly seed: number;
}

interface Run {
  readonly killed: string;
  /** False for a worker that did not stream this generation: its death says nothing of resuming. */
  readonly inThePath: boolean;
  readonly isWorker: boolean;
  readonly lost: number;
  readonly duplicated: number;
  /** Output tokens that the provider generated beyond the text. */
  readonly paidTwice: number;
  /** Input tokens of the calls after the first. */
  readonly inputAgain: number;
  /** True if the kill came before an activity adopts the stream of a run whose first task is leased. */
  readonly isInFirstTask: boolean;
  /** From the kill to the first text that was appended after it; null where no text was left. */
  readonly resumedWithinMs: number | null;
  readonly faults: readonly string[];
}

/** Prints each run and the sums. Resolves with whether nothing was lost, duplicated or paid twice. */
export async function proveCrash(plan: CrashPlan): Promise<boolean> {
  const random = createRandom(plan.seed);
  console.log(`crash: ${plan.runs} runs of ${TOKENS} tokens, seed ${plan.seed}`);
  const services = await startSharedServices();
  let stack: Stack | undefined;
  try {
    stack = await startStack({ workers: 2, services: services.env });
    const runs = await repeat(plan.runs, stack, REATTACH, random);
    const prefillRuns = await repeat(plan.prefillRuns, stack, PREFILL, random);
    return printSums(plan, runs, prefillRuns);
  } finally {
    await stack?.stop();
    await closeTemporalClients();
    await services.stop();
  }
}

async function repeat(count: number, stack: Stack, model: string, random: Random): Promise<Run[]> {
  const runs: Run[] = [];
  for (let number = 1; number <= count; number += 1) {
    const plan = number % ADOPTED_EVERY === 0 ? ADOPTED : IN_FIRST_TASK;
    const run = await crashOnce(stack, { model, ...plan }, random);
    runs.push(run);
    const resumed = run.resumedWithinMs === null ? 'none left' : `${run.resumedWithinMs} ms`;
    const again =
      model === PREFILL
        ? `paid again ${run.inputAgain} in ${run.paidTwice} out`
        : `paid_twice ${run.paidTwice}`;
    console.log(
      `${String(number).padStart(3)} ${model} ${run.killed}: lost ${run.lost} duplicated ${run.duplicated} ` +
        `${again} resumed ${resumed}${run.faults.length > 0 ? ` FAULTS ${run.faults.join('; ')}` : ''}`,
    );
  }
  return runs;
}

async function crashOnce(
  stack: Stack,
  { model, delayMs, fromMs }: { readonly model: string; readonly delayMs: number; readonly fromMs: number },
  random: Random,
): Promise<Run> {
  const input = promptOf({ tokens: TOKENS, delayMs });
  const expected = await stack.sim.text(input);
  const lottery = random.between(1, 20);
  const killAfterMs = random.between(fromMs, TOKENS * delayMs);
  const bystander = random.between(0, stack.workers.length - 1);
  await stack.sim.forget();
  const created = await stack.api.create({ input, model, cache: 'off' });
  if (created.status !== 201) throw new Error(`POST: ${created.status} ${JSON.stringify(created.body)}`);
  const reading = startReading(stack.api, created.body.id);
  await pause(killAfterMs);
  const streaming = await streamingWorker(stack, created.body.id);
  const victim = chooseVictim(stack, lottery, bystander, streaming);
  const killedAtMs = Date.now();
  await victim.kill();
  const goneAtMs = Date.now();
  // What a supervisor does: the process is started again at once.
  await victim.restart();
  const faults: string[] = [];
  const ended = await Promise.race([
    reading.whole.then(() => 'ended' as const),
    sleep(RUN_WITHIN_MS, 'late' as const, { ref: false }),
  ]).catch((error: unknown) => `reader failed: ${error}`);
  if (ended !== 'ended') faults.push(ended);
  faults.push(...faultsOf(reading.events));
  const calls = await stack.sim.calls();
  const generated = calls.reduce((sum, call) => sum + call.outputTokensGenerated, 0);
  const at = `${victim.name}${victim === streaming ? ' (streams)' : ''} at ${killAfterMs} ms`;
  return {
    killed: at,
    inThePath: victim === streaming || stack.apis.includes(victim),
    isWorker: stack.workers.includes(victim),
    isInFirstTask: fromMs === IN_FIRST_TASK.fromMs,
    ...compareReading(reading.events, expected.text),
    paidTwice: Math.max(0, generated - expected.tokens),
    inputAgain: calls.slice(1).reduce((sum, call) => sum + call.inputTokens, 0),
    resumedWithinMs: resumedWithin(reading, killedAtMs, goneAtMs),
    faults,
  };
}

/** Mostly the worker that streams; the API and a random worker in the rest. */
function chooseVictim(stack: Stack, lottery: number, bystander: number, streaming: Seat | undefined): Seat {
  const [api] = stack.apis;
  const victim = lottery <= 11 ? streaming : lottery <= 16 ? api : undefined;
  const seat = victim ?? stack.workers[bystander];
  if (seat === undefined) throw new Error('the stack has no worker');
  return seat;
}

/** Only text that was appended after the process was gone shows that another process continued. */
function resumedWithin(reading: Reading, killedAtMs: number, goneAtMs: number): number | null {
  const index = reading.events.findIndex(({ type, at }) => type === 'text-delta' && at > goneAtMs);
  const receivedAtMs = reading.receivedAtMs[index];
  return receivedAtMs === undefined ? null : receivedAtMs - killedAtMs;
}

function printSums(plan: CrashPlan, runs: readonly Run[], prefillRuns: readonly Run[]): boolean {
  const sum = (from: readonly Run[], part: (run: Run) => number) =>
    from.reduce((total, run) => total + part(run), 0);
  const lost = sum(runs, (run) => run.lost);
  const duplicated = sum(runs, (run) => run.duplicated);
  const paidTwice = sum(runs, (run) => run.paidTwice);
  const faults = sum([...runs, ...prefillRuns], (run) => run.faults.length);
  const prefillWrong = sum(prefillRuns, (run) => run.lost + run.duplicated);
  if (prefillRuns.length > 0) {
    const inputAgain = sum(prefillRuns, (run) => run.inputAgain);
    const outputAgain = sum(prefillRuns, (run) => run.paidTwice);
    console.log(
      `prefill: lost ${sum(prefillRuns, (run) => run.lost)} ` +
        `duplicated ${sum(prefillRuns, (run) => run.duplicated)}, paid again ${inputAgain} input and ` +
        `${outputAgain} output tokens in ${prefillRuns.length} runs, ` +
        resumedTimes(prefillRuns),
    );
  }
  const hits = runs.filter((run) => run.inThePath).length;
  console.log(
    `${hits} of ${runs.length} kills hit the worker that streamed or the API; the times are of those`,
  );
  const ofWorkers = runs.filter(({ isWorker }) => isWorker);
  console.log(
    `the API killed, until it has started again: ${resumedTimes(runs.filter((run) => !run.isWorker))}`,
  );
  const inFirstTask = ofWorkers.filter((run) => run.isInFirstTask);
  console.log(`a worker killed in the first task of a run: ${resumedTimes(inFirstTask)}`);
  console.log(`a worker killed later: ${resumedTimes(ofWorkers.filter((run) => !run.isInFirstTask))}`);
  console.log(
    `lost ${lost} duplicated ${duplicated} paid_twice ${paidTwice} ${resumedTimes(ofWorkers)} seed ${plan.seed}`,
  );
  return lost + duplicated + paidTwice + faults + prefillWrong === 0;
}

/** From the kill to the next text, of the runs whose process died. */
function resumedTimes(runs: readonly Run[]): string {
  const times = runs.flatMap((run) =>
    run.inThePath && run.resumedWithinMs !== null ? [run.resumedWithinMs] : [],
  );
  const at = (share: number) => percentile(times, share) ?? 'none';
  return `resumed_within_ms p50 ${at(0.5)} p95 ${at(0.95)} max ${at(1)} of ${times.length}`;
}

/** The nearest-rank percentile; undefined of nothing. */
function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}
