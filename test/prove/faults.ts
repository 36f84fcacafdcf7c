/**
 * Every fault of a provider, over HTTP, against the running product; and an outage that the circuit breaker must end.
 */
import { textOf } from '../../contracts/fold-events.ts';
import type { ProvidersView } from '../../contracts/routing.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { startSharedServices } from '../harness/shared-services.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients } from '../harness/streaming-worker.ts';
import { pause } from '../harness/wait-for.ts';
import { runCase, type Verdict } from './fault-case.ts';
import { FAULT_CASES } from './fault-cases.ts';
import { HARD_UPSTREAM_CASES } from './hard-upstream-cases.ts';

const CASES = [...FAULT_CASES, ...HARD_UPSTREAM_CASES];
const SIDE_BY_SIDE = 6;
const OUTAGE_MS = 60_000;
const RECOVERS_WITHIN_MS = 30_000;
const REQUEST_EVERY_MS = 2_000;
/** Of some thirty generations that begin in the outage. */
const MOST_SICK_CALLS = 12;
const KEYS = {
  PROVE_BAD_KEY: 'sk-prove-bad-0123456789',
  PROVE_GOOD_KEY: 'sk-prove-good-0123456789',
  PROVE_SICK_KEY: 'sk-prove-sick-0123456789',
};

/** Prints a line for each case and resolves with whether all passed. `only`: a part of the name. */
export async function proveFaults(only: string | undefined): Promise<boolean> {
  const services = await startSharedServices();
  let stack: Stack | undefined;
  try {
    stack = await startStack({ workers: 2, services: services.env, env: KEYS, config: configOf });
    const running = stack;
    const wanted = CASES.filter(({ name, id }) => only === undefined || `${id} ${name}`.includes(only));
    const verdicts: Verdict[] = [];
    const waiting = [...wanted];
    const runner = async () => {
      for (let faultCase = waiting.shift(); faultCase !== undefined; faultCase = waiting.shift()) {
        const { name } = faultCase;
        const verdict = await runCase(running, faultCase).catch((error: unknown) => failed(name, error));
        verdicts.push(verdict);
        print(verdict);
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, runner));
    const outage = '503 for 60 s: the circuit opens, and closes again';
    if (only === undefined || outage.includes(only)) {
      const verdict = await proveOutage(running, outage).catch((error: unknown) => failed(outage, error));
      verdicts.push(verdict);
      print(verdict);
    }
    const passed = verdicts.filter(({ problems }) => problems.length === 0).length;
    console.log(`passed ${passed} of ${verdicts.length}`);
    return passed === verdicts.length && verdicts.length > 0;
  } finally {
    await stack?.stop();
    await closeTemporalClients();
    await services.stop();
  }
}

function configOf(simulatorUrl: string): object {
  const routeOf = (id: string) => [`simulated/${id}`, `simulated-messages/${id}`];
  return {
    providers: {
      sick: { wire: 'openai-responses', baseUrl: `${simulatorUrl}/v1`, apiKeyEnv: 'PROVE_SICK_KEY' },
      ...Object.assign({}, ...CASES.map(({ providers }) => providers?.(simulatorUrl) ?? {})),
    },
    routes: {
      before: ['simulated/before'],
      outage: ['sick/sim-large', 'simulated-messages/outage'],
      ...Object.fromEntries(CASES.map(({ id, route }) => [id, route ?? routeOf(id)])),
    },
  };
}

/**
 * The first model of a route answers 503 for a minute while generations come every two seconds. Each must be whole;
 * few calls may reach the sick model; and it must be asked again soon after it is well.
 */
async function proveOutage(stack: Stack, name: string): Promise<Verdict> {
  const begunAtMs = Date.now();
  await stack.sim.clearFaults();
  await stack.sim.fault({ kind: 'status', status: 503, key: KEYS.PROVE_SICK_KEY, times: 100_000 });
  const problems: string[] = [];
  let bytes = 0;
  let [sickCalls, calls, wellAtMs, backAfterMs] = [0, 0, 0, Number.NaN];
  let wasOpen = false;
  while (Number.isNaN(backAfterMs)) {
    const nowMs = Date.now();
    if (wellAtMs === 0 && nowMs - begunAtMs > OUTAGE_MS) {
      await stack.sim.clearFaults();
      wellAtMs = Date.now();
    }
    if (wellAtMs > 0 && nowMs - wellAtMs > RECOVERS_WITHIN_MS) break;
    const seen = await generateOnce(stack);
    problems.push(...seen.problems);
    bytes += seen.bytes;
    calls += seen.called.length;
    if (wellAtMs === 0) {
      sickCalls += seen.called.filter((candidate) => candidate === 'sick/sim-large').length;
      wasOpen ||= await isOpen(stack);
    } else if (seen.answeredBy === 'sick') backAfterMs = Date.now() - wellAtMs;
    await pause(REQUEST_EVERY_MS);
  }
  if (!wasOpen) problems.push('GET /v1/providers never showed an open circuit');
  if (sickCalls > MOST_SICK_CALLS) problems.push(`${sickCalls} calls reached the sick model`);
  if (Number.isNaN(backAfterMs)) problems.push(`it was not asked again within ${RECOVERS_WITHIN_MS} ms`);
  const facts = `${sickCalls} calls reached the sick model; it answered again after ${backAfterMs} ms`;
  return { name: `${name} (${facts})`, problems, ms: Date.now() - begunAtMs, bytes, calls };
}

async function generateOnce(stack: Stack) {
  const input = promptOf({ tokens: 20, delayMs: 2 });
  const { text: expected } = await stack.sim.text(input);
  const body = await stack.api.submit({ input, route: 'outage', cache: 'off' });
  const events = await startReading(stack.api, body.id).whole;
  const last = events.at(-1);
  const text = textOf(events);
  return {
    problems: [...faultsOf(events), ...(text === expected ? [] : ['a text of the outage differs'])],
    bytes: Buffer.byteLength(text),
    called: events.flatMap((event) =>
      event.type === 'provider-start' ? [`${event.provider}/${event.model}`] : [],
    ),
    answeredBy: last?.type === 'generation-end' ? last.provider : null,
  };
}

async function isOpen(stack: Stack): Promise<boolean> {
  const view = (await (await stack.api.send('/v1/providers')).json()) as ProvidersView;
  const sick = view.providers.find(({ provider }) => provider === 'sick');
  return sick?.models.some(({ circuit }) => circuit !== 'closed') === true;
}

function failed(name: string, error: unknown): Verdict {
  const problems = [error instanceof Error ? error.message : String(error)];
  return { name, problems, ms: 0, bytes: 0, calls: 0 };
}

function print({ name, problems, ms, bytes, calls }: Verdict): void {
  const verdict = problems.length === 0 ? 'pass' : 'FAIL';
  console.log(
    `${verdict}  ${String(ms).padStart(6)} ms  ${String(bytes).padStart(6)} bytes  ${calls} calls  ${name}`,
  );
  for (const problem of problems) console.log(`      ${problem}`);
}
