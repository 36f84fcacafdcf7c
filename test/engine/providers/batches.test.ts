/** The adapters to the providers' own batches, at the simulated ones, which the official clients judge. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { createProviderBatches } from '../../../engine/providers/create-provider-batches.ts';
import { readJsonLines } from '../../../engine/providers/json-lines.ts';
import type { Provider, ProviderCall } from '../../../engine/providers/provider.ts';
import type {
  EncodedLine,
  LineResult,
  ProviderBatches,
  ProviderBatchRef,
  SubmissionName,
} from '../../../engine/providers/provider-batches.ts';
import { providerKeysOf } from '../../../platform/config/gate-schema.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';
import type { ProviderConfig } from '../../../platform/config/schema.ts';
import {
  createSimulatedProvider,
  type SimulatedProvider,
} from '../../../tools/simulator/create-simulated-provider.ts';
import { connectSimulator, type Simulator } from '../../harness/simulator.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { adapterFor, KEY, simulatedConfig } from './adapter-for.ts';
import { callOf, finishOf, type Heard, hear } from './hear.ts';

const WIRES = ['openai-responses', 'openai-chat', 'anthropic-messages'] as const;
type Wire = (typeof WIRES)[number];
const { signal } = new AbortController();

let server: SimulatedProvider;
let sim: Simulator;
let count = 0;
beforeAll(async () => {
  server = await createSimulatedProvider();
  sim = connectSimulator(server.url);
});
afterAll(() => server.stop());

function batchesFor(wire: Wire, more: Partial<ProviderConfig> = {}, key = KEY): ProviderBatches {
  const base = loadConfig({});
  const config = { ...simulatedConfig(wire, server.url), simulated: true, apiKeyEnv: 'KEY', ...more };
  const batches = createProviderBatches({
    ...base,
    providers: { house: config },
    providerKeys: { house: providerKeysOf({ apiKeyEnv: 'KEY' }, { KEY: key }) },
  }).get('house');
  if (batches === undefined) throw new Error(`no batches for ${wire}`);
  return batches;
}

function mark(): string {
  count += 1;
  return `word${count}x`;
}

const question = (content: string, extra: Partial<ProviderCall> = {}) =>
  callOf({ messages: [{ role: 'user', content }] }, extra);

interface Handed {
  readonly name: SubmissionName;
  readonly calls: readonly ProviderCall[];
  readonly lines: readonly EncodedLine[];
}

/** Calls with the text of their line's words, as one submission. */
function handover(batches: ProviderBatches, texts: readonly string[]): Handed {
  count += 1;
  const handoverId = `handover${count}`;
  const calls = texts.map((text) => question(text));
  const lines = calls.map((call, index) => {
    const line = batches.encode(handoverId, index, call);
    if (line === null) throw new Error('a line is not taken');
    return line;
  });
  const indexes = lines.map(({ index }) => index);
  const name = { handoverId, part: 0, indexes, intendedAtMs: Date.now(), otherIds: new Set<string>() };
  return { name, calls, lines };
}

const ended = (batches: ProviderBatches, ref: ProviderBatchRef) =>
  waitFor('the end of the batch', async () => {
    const status = await batches.poll(ref, signal);
    return status.state === 'ended' || status.state === 'refused' ? status : null;
  });

async function resultsOf(batches: ProviderBatches, { name }: Handed, ref: ProviderBatchRef) {
  const results = new Map<number, LineResult>();
  for await (const result of batches.results(name.handoverId, ref, signal)) {
    expect(results.has(result.index)).toBe(false);
    results.set(result.index, result);
  }
  return results;
}

function hearAnswer(batches: ProviderBatches, call: ProviderCall, result?: LineResult): Promise<Heard> {
  if (result?.type !== 'answered') throw new Error(`not answered: ${JSON.stringify(result)}`);
  const events = batches.answer(call, result.body);
  return hear({ stream: () => events } as unknown as Provider, call);
}

const billed = async (ref: ProviderBatchRef) =>
  (await sim.batches()).find(({ id }) => id === ref.vendorId)?.billed;
/** The lines with this word that the vendor charges for, in all batches. */
const billedLines = async (word: string) => (await sim.asked(word)).length;

async function errorOf(promise: Promise<unknown>): Promise<UnbrokenError> {
  return promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: UnbrokenError) => error,
  );
}

describe.each(WIRES)('the batches of %s', (wire) => {
  test('a line is answered with the events of a live call, and its usage is of a batch', async () => {
    const batches = batchesFor(wire);
    const word = mark();
    const texts = [word, `${word} [[sim reasoning=4 tokens=30]]`, `${word} [[sim tool=look say=3]]`];
    const tools = [{ name: 'look', parameters: { type: 'object', properties: {} } }];
    const calls = texts.map((content) => callOf({ messages: [{ role: 'user', content }], tools }));
    const handoverId = `handover${mark()}`;
    const lines = calls.flatMap((call, index) => batches.encode(handoverId, index, call) ?? []);
    expect(lines).toHaveLength(3);
    const name = { handoverId, part: 0, indexes: [0, 1, 2], intendedAtMs: 0, otherIds: new Set<string>() };
    const ref = await batches.submit(name, lines, signal);
    expect((await ended(batches, ref)).done).toBe(3);
    const results = await resultsOf(batches, { name, calls, lines }, ref);
    const live = adapterFor('house', simulatedConfig(wire, server.url));
    for (const [index, call] of calls.entries()) {
      const answer = await hearAnswer(batches, call, results.get(index));
      const expected = await hear(live, call);
      expect(answer.error).toBeUndefined();
      expect(answer.text).toBe(expected.text);
      expect(answer.reasoning).toBe(expected.reasoning);
      const named = (heard: Heard) => heard.calls.map((own) => [own.name, own.arguments]);
      expect(named(answer)).toEqual(named(expected));
      const usage = finishOf(expected)?.usage;
      expect(finishOf(answer)).toEqual({
        ...finishOf(expected),
        usage: {
          ...usage,
          cachedInputTokens: expect.any(Number),
          inputTokens: expect.any(Number),
          serviceTier: 'batch',
        },
      });
    }
    expect(await billed(ref)).toBe(3);
  });

  test('a batch whose creation was not confirmed is found, and its lines are paid once', async () => {
    const batches = batchesFor(wire);
    const word = mark();
    const handed = handover(batches, [`${word} a`, `${word} b`]);
    await sim.planBatch({ match: word, losesAnswer: true, holdAfterLines: 1 });
    const before = new Set((await sim.batches()).map(({ id }) => id));
    const error = await errorOf(batches.submit(handed.name, handed.lines, signal));
    expect(error).toMatchObject({ code: 'provider_connect_failed', details: { sent: true } });
    const { id } = await waitFor('the batch runs', async () =>
      (await sim.batches()).find((batch) => !before.has(batch.id) && batch.lines === 2),
    );
    if (wire === 'anthropic-messages') {
      // Only its results say which it is.
      expect(await batches.find(handed.name, signal)).toEqual({ found: 'perhaps' });
    } else {
      expect(await batches.find(handed.name, signal)).toMatchObject({ found: 'yes', ref: { vendorId: id } });
    }
    await sim.releaseBatch(id);
    await waitFor('the batch has ended', async () =>
      (await sim.batches()).some((batch) => batch.id === id && batch.hasEnded),
    );
    const found = await batches.find(handed.name, signal);
    if (found.found !== 'yes') throw new Error(found.found);
    expect((await resultsOf(batches, handed, found.ref)).size).toBe(2);
    expect(await billedLines(word)).toBe(2);
  });

  test('a refused creation leaves nothing to find, and the lines are submitted again', async () => {
    const batches = batchesFor(wire);
    const word = mark();
    const handed = handover(batches, [word]);
    await sim.planBatch({ match: word, refusesWith: 503 });
    expect((await errorOf(batches.submit(handed.name, handed.lines, signal))).code).toBe(
      'provider_unavailable',
    );
    expect(await batches.find(handed.name, signal)).toEqual({ found: 'no' });
    const ref = await batches.submit(handed.name, handed.lines, signal);
    await ended(batches, ref);
    expect(await billedLines(word)).toBe(1);
  });

  test('a batch of another submission with as many lines is not taken for it', async () => {
    const batches = batchesFor(wire, {}, `sk-other-0123456789-${wire}`);
    const [mine, other] = [handover(batches, [mark()]), handover(batches, [mark()])];
    const ref = await batches.submit(other.name, other.lines, signal);
    await ended(batches, ref);
    expect(await batches.find(mine.name, signal)).toEqual({ found: 'no' });
    expect(await batches.find(other.name, signal)).toEqual({ found: 'yes', ref });
  });

  test('cancelled, it has what was answered and names what was not sent; to cancel again changes nothing', async () => {
    const batches = batchesFor(wire);
    const word = mark();
    const handed = handover(batches, [`${word} a`, `${word} b`, `${word} c`]);
    await sim.planBatch({ match: word, holdAfterLines: 1 });
    const ref = await batches.submit(handed.name, handed.lines, signal);
    await waitFor('a line is answered', async () => (await billed(ref)) === 1);
    expect((await batches.poll(ref, signal)).state).toBe('running');
    await batches.cancel(ref, signal);
    await ended(batches, ref);
    await batches.cancel(ref, signal);
    const results = await resultsOf(batches, handed, ref);
    expect([0, 1, 2].map((index) => results.get(index)?.type)).toEqual(['answered', 'unsent', 'unsent']);
    expect(await billedLines(word)).toBe(1);
  });

  test('the error of a line is one of ours, without the key', async () => {
    const batches = batchesFor(wire);
    const word = mark();
    await sim.fault({ status: 429, match: `${word} a` });
    await sim.fault({ kind: 'context-length', match: `${word} b` });
    const handed = handover(batches, [`${word} a`, `${word} b`]);
    const ref = await batches.submit(handed.name, handed.lines, signal);
    await ended(batches, ref);
    const results = await resultsOf(batches, handed, ref);
    const codeOf = (index: number) => {
      const result = results.get(index);
      return result?.type === 'failed' ? result.error.code : result?.type;
    };
    expect([codeOf(0), codeOf(1)]).toEqual(['provider_rate_limited', 'context_length_exceeded']);
    const refused = await errorOf(batches.poll({ ...ref, vendorId: KEY }, signal));
    expect(refused.code).toBe('provider_bad_request');
    expect(refused.message).not.toContain(KEY);
  });

  test('what the vendor keeps is deleted, and to delete it again changes nothing', async () => {
    const batches = batchesFor(wire);
    const handed = handover(batches, [mark()]);
    const ref = await batches.submit(handed.name, handed.lines, signal);
    await ended(batches, ref);
    await batches.discard(ref, signal);
    await batches.discard(ref, signal);
    await expect(resultsOf(batches, handed, ref)).rejects.toMatchObject({ code: 'provider_bad_request' });
  });

  test('without its key, a batch is not asked for', async () => {
    const batches = batchesFor(wire);
    const error = await errorOf(batches.poll({ vendorId: 'x', keyId: 'OLD_KEY#000000' }, signal));
    expect(error).toMatchObject({
      code: 'provider_auth',
      message: expect.stringContaining('OLD_KEY#000000'),
    });
  });

  test('an abort is thrown as it is', async () => {
    const reason = new Error('shut down');
    const batches = batchesFor(wire);
    const handed = handover(batches, [mark()]);
    await expect(batches.submit(handed.name, handed.lines, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  test('a call that its model refuses is not taken', () => {
    const batches = batchesFor(wire, { capabilities: { tools: false } });
    const tools = [{ name: 'look', parameters: { type: 'object', properties: {} } }];
    expect(batches.encode('handover', 0, callOf({ tools }))).toBeNull();
    expect(batches.encode('handover', 0, callOf({}))).not.toBeNull();
  });
});

test("a batch of OpenAI's that is refused as a whole says why, and may be tried later if its queue is full", async () => {
  const batches = batchesFor('openai-chat');
  const codeFor = async (failsWith: string) => {
    const word = mark();
    const handed = handover(batches, [word]);
    await sim.planBatch({ match: word, failsWith });
    const status = await ended(batches, await batches.submit(handed.name, handed.lines, signal));
    expect(status.state).toBe('refused');
    return status.error?.code;
  };
  expect(await codeFor('token_limit_exceeded')).toBe('provider_rate_limited');
  expect(await codeFor('mismatched_model')).toBe('provider_bad_request');
});

test('fields that only chat completions have send a line of OpenAI there, in another batch', () => {
  const batches = batchesFor('openai-responses', { chatCompletions: true });
  const plain = batches.encode('handover', 0, callOf({}));
  const seeded = batches.encode('handover', 1, callOf({ seed: 7 }));
  expect([plain?.group, seeded?.group]).toEqual([
    '/v1/responses sim-large',
    '/v1/chat/completions sim-large',
  ]);
});

test('OpenAI and Anthropic have batches, at their own address', () => {
  const base = loadConfig({});
  const key = providerKeysOf({ apiKeyEnv: 'KEY' }, { KEY });
  const providers: Record<string, ProviderConfig> = {
    own: { wire: 'openai-responses' },
    claude: { wire: 'anthropic-messages' },
    house: { wire: 'openai-chat', baseUrl: 'https://llm.example.com/v1' },
    chat: { wire: 'openai-chat', baseUrl: 'https://api.openai.com/v1' },
    proxy: { wire: 'anthropic-messages', baseUrl: 'https://llm.example.com' },
    google: { wire: 'google' },
  };
  const providerKeys = Object.fromEntries(Object.keys(providers).map((name) => [name, key]));
  const batches = createProviderBatches({ ...base, providers, providerKeys });
  expect([...batches.keys()]).toEqual(['own', 'claude', 'chat']);
});

describe.each(WIRES)('a broken answer of %s', (wire) => {
  test('is events that end, or an error of the table', async () => {
    const batches = batchesFor(wire);
    const handed = handover(batches, [`${mark()} [[sim tool=look say=3 reasoning=2]]`]);
    const ref = await batches.submit(handed.name, handed.lines, signal);
    await ended(batches, ref);
    const result = (await resultsOf(batches, handed, ref)).get(0);
    const [call] = handed.calls;
    if (result?.type !== 'answered' || call === undefined) throw new Error('not answered');
    const whole = JSON.stringify(result.body);
    const paths = pathsIn(result.body);
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.jsonValue(), async (chosen, value) => {
        const body: unknown = JSON.parse(whole);
        const path = paths[chosen % paths.length] ?? [];
        const broken = path.length === 0 ? value : replaceAt(body, path, value);
        const heard = await hearAnswer(batches, call, { index: 0, type: 'answered', body: broken });
        if (heard.error === undefined) expect(finishOf(heard)).toBeDefined();
        else expect(heard.error).toBeInstanceOf(UnbrokenError);
      }),
      { numRuns: 300 },
    );
  });
});

type Path = readonly (string | number)[];

/** The paths to all values, the whole one included. */
function pathsIn(value: unknown): Path[] {
  if (typeof value !== 'object' || value === null) return [[]];
  const inner = Object.entries(value).flatMap(([key, own]) => pathsIn(own).map((path) => [key, ...path]));
  return [[], ...inner];
}

function replaceAt(value: unknown, [key = '', ...rest]: Path, by: unknown): unknown {
  const holder = value as Record<string, unknown>;
  holder[key] = rest.length === 0 ? by : replaceAt(holder[key], rest, by);
  return value;
}

describe('JSON lines', () => {
  const read = async (chunks: readonly string[], most = 100) => {
    const body = (async function* pieces() {
      for (const chunk of chunks) yield new TextEncoder().encode(chunk);
    })();
    const values: unknown[] = [];
    for await (const value of readJsonLines(body, most)) values.push(value);
    return values;
  };

  test('are read wherever the chunks begin, with or without a last line break', async () => {
    expect(await read(['{"a":', '1}\n\n{"b"', ':"ü"}\r\n', '3'])).toEqual([{ a: 1 }, { b: 'ü' }, 3]);
    expect(await read([])).toEqual([]);
  });

  test('that are no JSON or too long are malformed', async () => {
    await expect(read(['{"a":\n'])).rejects.toMatchObject({ code: 'provider_malformed' });
    await expect(read([`"${'x'.repeat(60)}`, 'x'.repeat(60)])).rejects.toMatchObject({
      code: 'provider_malformed',
    });
  });
});
