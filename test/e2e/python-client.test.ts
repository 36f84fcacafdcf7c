/** The Python client, installed outside of the repository, against real processes that are killed meanwhile. */
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { GenerationEvent } from '../../contracts/events.ts';
import { compareReading, faultsOf } from '../harness/check-events.ts';
import { PROJECT_ROOT } from '../harness/child-process.ts';
import { PATIENT_MS } from '../harness/patience.ts';
import { promptOf } from '../harness/prompt.ts';
import { installPythonPackage, type PythonPackage, type PythonRun } from '../harness/python-package.ts';
import { type Seat, type Stack, startStack } from '../harness/stack.ts';
import { waitFor } from '../harness/wait-for.ts';

const TOKENS = 250;
/** Until a killed API is up again, on a busy machine. */
const PATIENCE = { request_give_up_after_ms: PATIENT_MS };
const listSchema = z.object({ data: z.array(z.object({ id: z.string() })) });

let stack: Stack;
let client: PythonPackage;
let api: Seat;
beforeAll(async () => {
  client = await installPythonPackage();
  stack = await startStack();
  const [seat] = stack.apis;
  if (seat === undefined) throw new Error('the stack has no API');
  api = seat;
});
afterAll(async () => {
  client?.remove();
  await stack?.stop();
});

const eventsOf = ({ lines }: PythonRun) =>
  lines.flatMap((line) => ('event' in line ? [line['event'] as GenerationEvent] : []));
const retriesOf = ({ lines }: PythonRun) => lines.filter((line) => 'retry' in line).length;

describe.each(['sync', 'async'])('the %s client', (kind) => {
  const read = (request: object) =>
    client.start('reader.py', {
      url: stack.api.url,
      key: stack.api.key,
      client: kind,
      options: PATIENCE,
      request,
    });
  const question = async (tokens: number, delayMs?: number) => {
    const input = promptOf({ tokens, ...(delayMs === undefined ? {} : { delayMs }) });
    return { input, ...(await stack.sim.text(input)) };
  };

  test('reads every event exactly once and in order while the API is killed', async () => {
    const { input, text } = await question(TOKENS, 20);
    const reading = read({ input, cache: 'off' });
    await waitFor('30 events', () => eventsOf(reading).length >= 30);
    await api.kill();
    expect(eventsOf(reading).at(-1)?.seq).toBeLessThan(TOKENS);
    await api.restart();
    expect((await reading.whole).at(-1)).toEqual({ text });
    expect(faultsOf(eventsOf(reading))).toEqual([]);
    expect(compareReading(eventsOf(reading), text)).toEqual({ lost: 0, duplicated: 0 });
    expect(retriesOf(reading)).toBeGreaterThanOrEqual(1);
  });

  test('submits through a dead API, and starts one generation', async () => {
    const { input, text } = await question(40);
    await api.kill();
    const user = `user-${randomUUID()}`;
    const reading = read({ input, cache: 'off', user });
    await waitFor('two retries', () => retriesOf(reading) >= 2);
    await api.restart();
    expect((await reading.whole).at(-1)).toEqual({ text });
    // Temporal lists a run some moments after its start.
    const runs = await waitFor('the run in the list', async () => {
      const { data } = listSchema.parse(await (await stack.api.send(`/v1/generations?user=${user}`)).json());
      return data.length > 0 && data;
    });
    expect(runs).toHaveLength(1);
  });

  test('submits, joins, gets, lists, cancels and continues, with codes and pages for what is refused', async () => {
    // It lists what this user has sent: other suites send much at the same time.
    const key = await stack.addKey({ user: `user-${randomUUID()}`, scopes: ['generate'] });
    const [line] = await client.start('calls.py', {
      url: stack.api.url,
      key,
      client: kind,
      keys: [randomUUID()],
      answer: await question(60),
      long: await question(2_000, 20),
      continued: { ...(await question(100)), model: 'simulated/sim-large' },
    }).whole;
    expect(line).toEqual({ submit: '', errors: '', cancel: '', continue: '' });
  });
});

test('the examples of its README run as they are written', async () => {
  const readme = readFileSync(join(PROJECT_ROOT, 'clients', 'python', 'README.md'), 'utf8');
  const examples = [...readme.matchAll(/```python\n([\s\S]*?)```/g)].map(([, code = '']) => code);
  expect(examples).toHaveLength(2);
  const { text } = await stack.sim.text('Why is the sky blue?');
  for (const [index, code] of examples.entries()) {
    const path = join(client.folder, `example-${index}.py`);
    writeFileSync(path, code.replace('http://127.0.0.1:8787', stack.api.url));
    const printed = await client.run([path], { UNBROKEN_API_KEY: stack.api.key });
    expect(printed).toContain(text.trim());
  }
});
