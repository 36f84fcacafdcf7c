/** Runs the cases, and validates every object and event that the server has sent meanwhile. */
import type { Stack } from '../stack.ts';
import { type OpenResponsesCase, Recorder } from './cases.ts';
import { type Sample, validate } from './validate.ts';

interface CaseReport {
  readonly name: string;
  readonly samples: number;
  readonly faults: readonly string[];
}

export async function runOpenResponses(
  stack: Stack,
  cases: readonly OpenResponsesCase[],
): Promise<CaseReport[]> {
  const ran: {
    readonly name: string;
    readonly samples: readonly Sample[];
    readonly failure: string | null;
  }[] = [];
  for (const { name, run } of cases) {
    const client = new Recorder(stack);
    const failure = await run(client).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    ran.push({ name, samples: client.samples, failure });
    await stack.sim.clearFaults();
  }
  const verdicts = await validate(ran.flatMap(({ samples }) => samples));
  let first = 0;
  return ran.map(({ name, samples, failure }) => {
    const faults = verdicts.slice(first, first + samples.length).flat();
    first += samples.length;
    const nothing = samples.length === 0 ? ['the server sent nothing to validate'] : [];
    return {
      name,
      samples: samples.length,
      faults: [...(failure === null ? [] : [failure]), ...nothing, ...new Set(faults)],
    };
  });
}
