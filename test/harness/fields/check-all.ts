/** Sends every field of every format to every provider format, several requests at a time. */
import type { Stack } from '../stack.ts';
import { FieldCheck, type Outcome } from './check-field.ts';
import { TogetherCheck } from './check-together.ts';
import { type ReachedObject, reachableObjects } from './examples.ts';
import { FORMATS, type Format, UPSTREAMS, type Upstream } from './formats.ts';
import { MODEL_PREFIX, RequestSender } from './send-request.ts';

/** What became of the fields: by format, then by `Type.field`, then by the format of the provider. */
export type FieldTable = Record<string, Record<string, Record<Upstream, Outcome>>>;

/** More only wait for the one worker: a workflow task that waits for seconds is lost and comes again. */
const AT_ONCE = 4;

interface Task {
  readonly format: Format;
  readonly check: FieldCheck;
  readonly sender: RequestSender;
  readonly upstream: Upstream;
  readonly objects: readonly ReachedObject[];
}

interface Plan {
  /** Which objects are sent, by their name and the format of the provider; absent: all. */
  readonly isWanted?: (object: string, upstream: Upstream) => boolean;
  /** What is expected: fields of which it is right may share a request. Absent: each field is sent alone. */
  readonly expected?: FieldTable;
}

export async function checkAllFields(
  { api, sim }: Pick<Stack, 'api' | 'sim'>,
  { isWanted = () => true, expected }: Plan = {},
): Promise<FieldTable> {
  const tasks = FORMATS.flatMap((format): Task[] => {
    const sender = new RequestSender(format, { base: api.url, key: api.key, sim });
    const check = new FieldCheck(format, sender);
    return (Object.keys(UPSTREAMS) as Upstream[]).map((upstream) => ({
      format,
      check,
      sender,
      upstream,
      objects: reachableObjects(format.root).filter(({ object }) => isWanted(object.name, upstream)),
    }));
  });
  // The values are made from the types alone; what a vendor says of them is of no interest here.
  await sim.lenient(MODEL_PREFIX);
  const table: FieldTable = {};
  const add = (format: Format, upstream: Upstream) => (field: string, outcome: Outcome) => {
    const rows = table[format.name] ?? {};
    table[format.name] = rows;
    rows[field] = { ...rows[field], [upstream]: outcome } as Record<Upstream, Outcome>;
  };
  try {
    await eachAtOnce(tasks, (task) => checkTask(task, expected, add(task.format, task.upstream)));
  } finally {
    await sim.beStrict();
  }
  return table;
}

async function checkTask(
  { format, check, sender, upstream, objects }: Task,
  expected: FieldTable | undefined,
  add: (field: string, outcome: Outcome) => void,
): Promise<void> {
  const rows = Object.entries(expected?.[format.name] ?? {}).map(
    ([field, row]) => [field, row[upstream]] as const,
  );
  const known = new Map(rows);
  const confirmed = await new TogetherCheck(format, upstream, sender).confirmed(objects, known);
  for (const reached of objects) {
    for (const name of reached.object.fields.keys()) {
      const field = `${reached.object.name}.${name}`;
      const outcome = confirmed.has(field) ? known.get(field) : undefined;
      add(field, outcome ?? (await check.outcomeOf(reached, name, upstream)));
    }
  }
}

async function eachAtOnce<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items];
  const next = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}
