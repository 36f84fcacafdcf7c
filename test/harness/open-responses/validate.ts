/** Asks the models of Open Responses, in Python, what they say of objects and events. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { providePython } from '../python-venv.ts';

const VERSION = '2.4.0';
const MAX_OUTPUT_BYTES = 32 * 1024 * 1024;

/** `model` is a class of the package; null: an event, whose `type` names its class. */
export interface Sample {
  readonly model: string | null;
  readonly value: unknown;
}

/** @returns the faults of each sample, in order. */
export async function validate(samples: readonly Sample[]): Promise<string[][]> {
  const python = await providePython('openresponses-types', VERSION);
  const printed = await new Promise<string>((resolve, reject) => {
    const script = join(import.meta.dirname, 'validate.py');
    const child = execFile(python, [script], { maxBuffer: MAX_OUTPUT_BYTES }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`validate.py failed:\n${stderr}`, { cause: error }));
    });
    child.stdin?.end(samples.map((sample) => `${JSON.stringify(sample)}\n`).join(''));
  });
  const faults = printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as string[]);
  if (faults.length !== samples.length) throw new Error('validate.py did not answer every sample');
  return faults;
}
