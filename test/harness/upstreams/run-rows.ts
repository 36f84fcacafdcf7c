/** Runs rows against the product, each on every wire, with a provider for each of them. */
import { faultsOf } from '../check-events.ts';
import { startReading } from '../reader.ts';
import { type Stack, startStack } from '../stack.ts';
import type { UpstreamRow } from './rows.ts';
import {
  startUpstream,
  UPSTREAM_KEY_ENV,
  UPSTREAM_WIRES,
  type Upstream,
  type UpstreamWire,
} from './start-upstream.ts';

interface UpstreamVerdict {
  readonly row: string;
  readonly wire: UpstreamWire;
  /** What is wrong; none where all is right. */
  readonly problems: readonly string[];
  readonly ms: number;
}

interface Task {
  readonly row: UpstreamRow;
  readonly wire: UpstreamWire;
  readonly name: string;
  readonly upstream: Upstream;
}

const AT_ONCE = 10;
/** The upstreams are in this process: on a busy machine, checking the first requests takes seconds. */
const PATIENCE_MS = 120_000;

/** @param services where Temporal, Redis and Qdrant are; absent: those of the whole run. */
export async function runUpstreamRows(
  rows: readonly UpstreamRow[],
  services?: Readonly<Record<string, string>>,
): Promise<readonly UpstreamVerdict[]> {
  const tasks: Task[] = [];
  let stack: Stack | undefined;
  try {
    for (const [index, row] of rows.entries()) {
      for (const wire of UPSTREAM_WIRES) {
        const upstream = await startUpstream(wire, row.script);
        tasks.push({ row, wire, name: `row${index}-${wire}`, upstream });
      }
    }
    const providers = Object.fromEntries(tasks.map(({ name, upstream }) => [name, upstream.provider]));
    stack = await startStack({
      env: { [UPSTREAM_KEY_ENV]: 'sk-upstream-0123456789' },
      config: { providers, limits: { firstTokenMs: PATIENCE_MS } },
      ...(services === undefined ? {} : { services }),
    });
    const running = stack;
    const verdicts: UpstreamVerdict[] = [];
    const waiting = [...tasks];
    const next = async () => {
      for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
        verdicts.push(await runTask(running, task));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
    return verdicts;
  } finally {
    await stack?.stop();
    await Promise.all(tasks.map(({ upstream }) => upstream.stop()));
  }
}

async function runTask({ api }: Stack, { row, wire, name, upstream }: Task): Promise<UpstreamVerdict> {
  const startedAt = performance.now();
  const problems = await (async () => {
    const { status, body } = await api.create({
      input: `A question of ${name}.`,
      model: `${name}/model`,
      cache: 'off',
      ...row.request,
    });
    if (status !== 201) return [`${status}: ${JSON.stringify(body)}`];
    const events = await startReading(api, body.id).whole;
    const ms = performance.now() - startedAt;
    return [...faultsOf(events), ...row.check({ wire, events, upstream, ms })];
  })().catch((error: unknown) => [error instanceof Error ? error.message : String(error)]);
  return { row: row.name, wire, problems, ms: Math.round(performance.now() - startedAt) };
}
