/** Sends every field of every format to every provider format, several at a time. */
import type { Stack } from '../stack.ts';
import { FieldCheck, MODEL_PREFIX, type Outcome } from './check-field.ts';
import { type ReachedObject, reachableObjects } from './examples.ts';
import { FORMATS, UPSTREAMS, type Upstream } from './formats.ts';

/** What became of the fields: by format, then by `Type.field`, then by the format of the provider. */
export type FieldTable = Record<string, Record<string, Record<Upstream, Outcome>>>;

const AT_ONCE = 8;

interface Task {
  readonly check: FieldCheck;
  readonly format: string;
  readonly reached: ReachedObject;
  readonly upstream: Upstream;
}

/** @param isWanted which objects are sent, by their name and the format of the provider. */
export async function checkAllFields(
  { api, sim }: Pick<Stack, 'api' | 'sim'>,
  isWanted: (object: string, upstream: Upstream) => boolean = () => true,
): Promise<FieldTable> {
  const tasks = FORMATS.flatMap((format): Task[] => {
    const check = new FieldCheck(format, { base: api.url, key: api.key, sim });
    return reachableObjects(format.root).flatMap((reached) =>
      (Object.keys(UPSTREAMS) as Upstream[])
        .filter((upstream) => isWanted(reached.object.name, upstream))
        .map((upstream) => ({ check, format: format.name, reached, upstream })),
    );
  });
  // The values are made from the types alone; what a vendor says of them is of no interest here.
  await sim.lenient(MODEL_PREFIX);
  const table: FieldTable = {};
  const next = async (): Promise<void> => {
    for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) {
      const { check, format, reached, upstream } = task;
      const rows = table[format] ?? {};
      table[format] = rows;
      for (const [field, outcome] of await check.outcomesOf(reached, upstream)) {
        rows[field] = { ...rows[field], [upstream]: outcome } as Record<Upstream, Outcome>;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next)).finally(() => sim.beStrict());
  return table;
}
