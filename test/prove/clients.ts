/** Every official client, unmodified, over the network, in each behaviour: a table of pass and fail. */
import { CLIENTS } from '../harness/clients/all-clients.ts';
import {
  BEHAVIOURS,
  type Behaviour,
  type Bench,
  type ClientUnderTest,
  openBench,
} from '../harness/clients/bench.ts';
import { tryPython } from '../harness/clients/python.ts';
import { startSharedServices } from '../harness/shared-services.ts';
import { pause } from '../harness/wait-for.ts';

const WITHIN_MS = 60_000;

/** '' for what passed, else what failed. */
type Row = Readonly<Record<Behaviour, string>>;

/** Prints the table. Resolves with whether all passed. */
export async function proveClients(): Promise<boolean> {
  const services = await startSharedServices();
  let bench: Bench | undefined;
  try {
    bench = await openBench(services.env);
    const rows = new Map<string, Row>();
    for (const client of CLIENTS) rows.set(client.name, await tryClient(client, bench));
    rows.set('openai (PyPI), Responses and chat completions', await tryPython(bench));
    return print(rows);
  } finally {
    await bench?.stop();
    await services.stop();
  }
}

async function tryClient({ behaviours }: ClientUnderTest, bench: Bench): Promise<Row> {
  const row: Record<Behaviour, string> = {
    plain: '',
    streaming: '',
    'tool call': '',
    resume: '',
    error: '',
    cancel: '',
  };
  for (const behaviour of BEHAVIOURS) {
    const outcome = await Promise.race([
      behaviours[behaviour](bench).then(
        () => '',
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      ),
      pause(WITHIN_MS).then(() => `took over ${WITHIN_MS} ms`),
    ]);
    row[behaviour] = outcome;
    await bench.stack.sim.clearFaults();
  }
  return row;
}

function print(rows: ReadonlyMap<string, Row>): boolean {
  const width = Math.max(...[...rows.keys()].map((name) => name.length));
  const columns = BEHAVIOURS.map((behaviour) => behaviour.padEnd(10)).join('');
  console.log(`${''.padEnd(width)}  ${columns}`);
  const failures: string[] = [];
  for (const [name, row] of rows) {
    const cells = BEHAVIOURS.map((behaviour) => (row[behaviour] === '' ? 'pass' : 'FAIL').padEnd(10));
    console.log(`${name.padEnd(width)}  ${cells.join('')}`);
    for (const behaviour of BEHAVIOURS) {
      if (row[behaviour] !== '') failures.push(`${name}, ${behaviour}: ${row[behaviour]}`);
    }
  }
  for (const failure of failures) console.log(failure);
  console.log(
    `${rows.size * BEHAVIOURS.length - failures.length} of ${rows.size * BEHAVIOURS.length} passed`,
  );
  return failures.length === 0;
}
