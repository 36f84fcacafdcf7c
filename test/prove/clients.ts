/**
 * Every official client, and agents and frameworks from npm and PyPI, unmodified, over the network, in each behaviour:
 * a table of pass and fail.
 */
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
import { AGENT_BEHAVIOURS, type Agent } from './agents/agent.ts';
import { COMMAND_AGENTS } from './agents/command-agents.ts';
import { PROGRAM_AGENTS } from './agents/program-agents.ts';
import { tryAgent } from './agents/try-agents.ts';

const WITHIN_MS = 60_000;

/** '' for what passed, null for what a client does not have, else what failed. */
type Row = Readonly<Record<string, string | null>>;

interface Table {
  readonly title: string;
  readonly behaviours: readonly string[];
  readonly rows: Map<string, Row>;
}

/**
 * Prints the tables. Resolves with whether all passed.
 * @param only names of clients, or parts of them; all if there are none.
 */
export async function proveClients(only: readonly string[]): Promise<boolean> {
  const isWanted = ({ name }: { readonly name: string }) =>
    only.length === 0 || only.some((part) => name.toLowerCase().includes(part.toLowerCase()));
  const services = await startSharedServices();
  let bench: Bench | undefined;
  try {
    bench = await openBench(services.env);
    const official: Table = { title: 'Official clients', behaviours: BEHAVIOURS, rows: new Map() };
    for (const client of CLIENTS.filter(isWanted))
      official.rows.set(client.name, await tryClient(client, bench));
    const python = { name: 'openai (PyPI), Responses and chat completions' };
    if (isWanted(python)) official.rows.set(python.name, await tryPython(bench));
    const agents = await tryAgents([...COMMAND_AGENTS, ...PROGRAM_AGENTS].filter(isWanted), bench);
    return [official, agents].map(print).every((passed) => passed);
  } finally {
    await bench?.stop();
    await services.stop();
  }
}

async function tryAgents(agents: readonly Agent[], { stack }: Bench): Promise<Table> {
  const rows = new Map<string, Row>();
  for (const agent of agents) {
    for (const [name, row] of await tryAgent(agent, stack)) {
      rows.set(name, row);
      const count = Object.values(row).filter((outcome) => outcome === '').length;
      console.log(`${name}: ${count} passed`);
    }
  }
  return { title: 'Agents and frameworks', behaviours: AGENT_BEHAVIOURS, rows };
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

/** @returns whether all of the table passed. */
function print({ title, behaviours, rows }: Table): boolean {
  if (rows.size === 0) return true;
  const width = Math.max(title.length, ...[...rows.keys()].map((name) => name.length));
  const columns = behaviours.map((behaviour) => behaviour.padEnd(20)).join('');
  console.log(`\n${title.padEnd(width)}  ${columns}`);
  const failures: string[] = [];
  let passed = 0;
  for (const [name, row] of rows) {
    const cells = behaviours.map((behaviour) => cellOf(row[behaviour]).padEnd(20));
    console.log(`${name.padEnd(width)}  ${cells.join('')}`);
    for (const behaviour of behaviours) {
      const outcome = row[behaviour];
      if (outcome === '') passed += 1;
      else if (typeof outcome === 'string') failures.push(`${name}, ${behaviour}: ${outcome}`);
    }
  }
  for (const failure of failures) console.log(failure);
  console.log(`${passed} of ${passed + failures.length} passed`);
  return failures.length === 0;
}

function cellOf(outcome: string | null | undefined): string {
  if (outcome === '') return 'pass';
  return typeof outcome === 'string' ? 'FAIL' : '-';
}
