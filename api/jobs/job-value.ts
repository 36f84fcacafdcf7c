/** The values of steps, by the places at which the steps of a job keep them. */
import type { FoldedStep } from '../../contracts/fold-job.ts';
import { parseJson } from '../../contracts/json.ts';
import type { ApiDependencies } from '../dependencies.ts';

type Jobs = Pick<ApiDependencies, 'jobs'>;

/** All places of a step: its value, or the number of its items and the value of each. */
export function placesOf({ name, items }: Pick<FoldedStep, 'name' | 'items'>): readonly string[] {
  if (items === null) return [name];
  return [`${name}#`, ...Array.from({ length: items }, (_, index) => `${name}/${index}`)];
}

export async function stepValue({ jobs }: Jobs, jobId: string, step: FoldedStep): Promise<unknown> {
  const places = placesOf(step);
  const values = (await jobs.values(jobId, places)).map((json) => (json === null ? null : parseJson(json)));
  return step.items === null ? values[0] : values.slice(1);
}
