/** Tries made-up inputs on one part of the product, by a seed that repeats them, and keeps the smallest that fails. */
import fc from 'fast-check';

export interface FuzzPlan {
  readonly seed: number;
  /** How many inputs to try. */
  readonly inputs: number;
}

export interface SurfaceReport {
  readonly surface: string;
  readonly inputs: number;
  /** Each in words, with the input and what repeats it. */
  readonly failures: readonly string[];
  /** What else is worth knowing of the run. */
  readonly note?: string | undefined;
}

/** What is wrong with how an input was taken; null where nothing is. */
export type Verdict = string | null;

/** Smaller inputs are looked for no longer than this. */
const SHRINK_MS = 30_000;
const INPUT_CHARS = 3_000;

/** @param what names the property in a failure. */
export async function tryInputs<Input>(
  what: string,
  inputs: fc.Arbitrary<Input>,
  { seed, inputs: numRuns }: FuzzPlan,
  attempt: (input: Input) => Verdict | Promise<Verdict>,
): Promise<SurfaceReport> {
  let tried = 0;
  const judge = async (input: Input) => {
    tried += 1;
    const wrong = await attempt(input);
    if (wrong !== null) throw new Error(wrong);
  };
  const outcome = await fc.check(fc.asyncProperty(inputs, judge), {
    seed,
    numRuns,
    interruptAfterTimeLimit: SHRINK_MS + numRuns * 1_000,
  });
  if (!outcome.failed) return { surface: what, inputs: tried, failures: [] };
  const input = fc.stringify(outcome.counterexample?.[0]).slice(0, INPUT_CHARS);
  const why = outcome.errorInstance instanceof Error ? outcome.errorInstance.message : 'interrupted';
  const path = outcome.counterexamplePath ?? '';
  return {
    surface: what,
    inputs: tried,
    failures: [`${what} (seed ${seed}, path ${path}): ${why}\n  input: ${input}`],
  };
}

/** Several reports of one surface as one. */
export function sumOf(surface: string, reports: readonly SurfaceReport[], note?: string): SurfaceReport {
  return {
    surface,
    note,
    inputs: reports.reduce((sum, { inputs }) => sum + inputs, 0),
    failures: reports.flatMap(({ failures }) => failures),
  };
}

/** Runs the tasks, `atOnce` of them at a time; results in the order of the tasks. */
export async function inTurns<Task, Result>(
  tasks: readonly Task[],
  atOnce: number,
  run: (task: Task) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const left = [...tasks.entries()];
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift())
      results[next[0]] = await run(next[1]);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}

/** Of a promise that may never come: its value, or null after so long. */
export async function within<Value>(limitMs: number, promise: Promise<Value>): Promise<Value | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
