import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { NO_USAGE, type Usage } from '../../../contracts/money.ts';
import type { CacheQuestion, Judgement, NoteJudge } from '../../../engine/cache/answer-cache.ts';
import { cacheKey, pointId } from '../../../engine/cache/cache-key.ts';
import type { JudgeCall, JudgeModel } from '../../../engine/cache/judge.ts';
import {
  answer,
  asking,
  COLLECTION,
  cacheAt,
  entryId,
  LIMITS,
  paraphrase,
  question,
  startTestQdrant,
  type TestQdrant,
} from './cache-fixture.ts';

let server: TestQdrant;
beforeAll(async () => {
  server = await startTestQdrant();
});
afterEach(() => server.raw.deleteCollection(COLLECTION));
afterAll(() => server?.stop());

// Only the tests of a stopped Qdrant are about the limit.
const patient = (by?: JudgeModel) => cacheAt(server.url, 5_000, by);
const { ttlMs: _ttlMs, user: _user, generationId: _generationId, mayStore: _mayStore, ...expected } = answer;

describe('a stored answer', () => {
  test('is found again, whole, by the same words', async () => {
    const cache = patient();
    await cache.store(question, answer);
    expect(await cache.lookUp(question, LIMITS)).toEqual({
      outcome: 'hit',
      answer: { ...expected, entryId, questionId: entryId, similarity: 1, matchedBy: 'same-words' },
    });
  });

  test('is found by other words that ask the same, and says how near they are', async () => {
    const cache = patient();
    const stopSequence = 'END';
    await cache.store(question, { ...answer, stopSequence });
    const found = await cache.lookUp(paraphrase, LIMITS);
    const answered = { ...expected, stopSequence, entryId, matchedBy: 'rules' };
    expect(found).toMatchObject({ outcome: 'hit', answer: answered });
    const similarity = found.outcome === 'hit' ? found.answer.similarity : 0;
    expect(similarity).toBeGreaterThan(0.4);
    expect(similarity).toBeLessThan(1);
  });

  test('stands in for a chain that failed: the same words first, else other words that ask the same', async () => {
    const cache = patient();
    await cache.store(question, answer);
    const same = await cache.lookUpBest(question, LIMITS.acceptedFalseHits);
    expect(same).toMatchObject({ outcome: 'hit', answer: { entryId, similarity: 1 } });
    const near = await cache.lookUpBest(paraphrase, LIMITS.acceptedFalseHits);
    expect(near).toMatchObject({ outcome: 'hit', answer: { entryId } });
    expect(near.outcome === 'hit' ? near.answer.similarity : 1).toBeLessThan(1);
    const other = asking('How do I disable two-factor authentication?');
    expect(await cache.lookUpBest(other, LIMITS.acceptedFalseHits)).toEqual({ outcome: 'miss' });
  });

  test('is found only by its own user if users do not share: not by the same words, nor by similar ones, nor degraded', async () => {
    const cache = patient();
    const of = (onlyUser: string, asking: CacheQuestion) => ({ ...asking, onlyUser });
    await cache.store(of('ann', question), answer);
    for (const asking of [question, paraphrase]) {
      expect(await cache.lookUp(of('bob', asking), LIMITS)).toEqual({ outcome: 'miss' });
      expect(await cache.lookUpBest(of('bob', asking), LIMITS.acceptedFalseHits)).toEqual({
        outcome: 'miss',
      });
      expect(await cache.lookUp(of('ann', asking), LIMITS)).toMatchObject({ outcome: 'hit' });
      expect(await cache.lookUpBest(of('ann', asking), LIMITS.acceptedFalseHits)).toMatchObject({
        outcome: 'hit',
      });
    }
  });

  test('is not given to the question with invisible characters, nor the other way', async () => {
    const hidden = asking('How do I enable two-factor authentication?\u{e0053}\u{e0041}\u{e0059}');
    for (const [stored, asking] of [
      [question, hidden],
      [hidden, question],
    ] as const) {
      const cache = patient();
      await cache.store(stored, answer);
      expect(await cache.lookUp(asking, LIMITS)).toEqual({ outcome: 'miss' });
      expect(await cache.lookUp(stored, LIMITS)).toMatchObject({ outcome: 'hit' });
      await server.raw.deleteCollection(COLLECTION);
    }
  });

  test.each([
    'How do I disable two-factor authentication?',
    'Why should I enable two-factor authentication?',
    'How do I enable two-factor authentication for another user?',
  ])('is not given to: %s', async (other) => {
    const cache = patient();
    await cache.store(question, answer);
    expect(await cache.lookUp(asking(other), LIMITS)).toEqual({ outcome: 'miss' });
  });

  test.each<[string, CacheQuestion]>([
    ['tenant', { ...paraphrase, tenant: 'other' }],
    ['system prompt', { ...paraphrase, input: { ...paraphrase.input, system: 'Be long.' } }],
    ['model', { ...paraphrase, candidates: [{ provider: 'openai', model: 'gpt-4o' }] }],
    [
      'set of tools',
      { ...paraphrase, input: { ...paraphrase.input, tools: [{ name: 'f', parameters: {} }] } },
    ],
    [
      'form of the answer',
      {
        ...paraphrase,
        input: { ...paraphrase.input, output: { name: 'answer', schema: { type: 'object' } } },
      },
    ],
    ['temperature', { ...paraphrase, input: { ...paraphrase.input, temperature: 1 } }],
  ])('is not given to another %s', async (_name, other) => {
    const cache = patient();
    await cache.store(question, answer);
    expect(await cache.lookUp(other, LIMITS)).toEqual({ outcome: 'miss' });
    expect(await cache.lookUp(paraphrase, LIMITS)).toMatchObject({ outcome: 'hit' });
  });

  test('in a conversation counts with all that was said before', async () => {
    const talk = (first: string, reply: string, last: string): CacheQuestion => ({
      ...question,
      input: {
        ...question.input,
        messages: [
          { role: 'user', content: first },
          { role: 'assistant', content: reply },
          { role: 'user', content: last },
        ],
      },
    });
    const cache = patient();
    await cache.store(talk('What is the capital of Peru?', 'Lima.', 'How many people live there?'), answer);
    const hit = talk("What's the capital of Peru?", 'Lima.', 'How many people live there?');
    expect(await cache.lookUp(hit, LIMITS)).toMatchObject({ outcome: 'hit' });
    for (const other of [
      talk('What is the capital of Chile?', 'Lima.', 'How many people live there?'),
      talk('What is the capital of Peru?', 'It is Lima.', 'How many people live there?'),
      asking('How many people live there?'),
    ]) {
      expect(await cache.lookUp(other, LIMITS)).toEqual({ outcome: 'miss' });
    }
  });

  test('is given for as long as its route and the request let it be', async () => {
    const cache = patient();
    const hourOld = { ...answer, storedAtMs: Date.now() - 3_600_000 };
    await cache.store(question, hourOld);
    for (const asking of [question, paraphrase]) {
      expect(await cache.lookUp(asking, { ...LIMITS, maxAgeMs: 2 * 3_600_000 })).toMatchObject({
        outcome: 'hit',
      });
      expect(await cache.lookUp(asking, { ...LIMITS, maxAgeMs: 60_000 })).toEqual({ outcome: 'miss' });
    }
    await cache.store(question, { ...hourOld, ttlMs: 60_000 });
    for (const asking of [question, paraphrase]) {
      expect(await cache.lookUp(asking, LIMITS)).toEqual({ outcome: 'miss' });
    }
  });

  test('fits any output cap that it stays below, and no lower one', async () => {
    const cache = patient();
    await cache.store(question, answer);
    const capped = (maxOutputTokens: number) => ({
      ...question,
      input: { ...question.input, maxOutputTokens },
    });
    expect(await cache.lookUp(capped(5), LIMITS)).toMatchObject({ outcome: 'hit' });
    expect(await cache.lookUp(capped(4), LIMITS)).toEqual({ outcome: 'miss' });
  });

  test('whose question is not similar enough is not compared at all', async () => {
    const cache = cacheAt(server.url, 5_000, undefined, { leastSimilarity: 0.9999 });
    await cache.store(question, answer);
    expect(await cache.lookUp(paraphrase, LIMITS)).toEqual({ outcome: 'miss' });
  });

  test('is asked for uncompressed: a compressed one waits 40 ms for an acknowledgement of its first part', async () => {
    let asking: string | undefined;
    const stub = createServer((request, response) => {
      asking = String(request.headers['accept-encoding']);
      response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
    }).listen(0, '127.0.0.1');
    await once(stub, 'listening');
    const address = stub.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await cacheAt(`http://127.0.0.1:${port}`, 5_000).lookUp(question, LIMITS);
    stub.close();
    stub.closeAllConnections();
    expect(asking).toBe('identity');
  });

  test('is replaced when the question is stored again', async () => {
    const cache = patient();
    await cache.store(question, answer);
    await cache.store(question, { ...answer, text: 'Light.' });
    expect(await cache.lookUp(question, LIMITS)).toMatchObject({
      outcome: 'hit',
      answer: { text: 'Light.' },
    });
    expect((await server.raw.count(COLLECTION, { exact: true })).count).toBe(1);
  });

  test('is replaced by a fresh one to other words, with all that such a look-up would have taken', async () => {
    const cache = patient();
    await cache.store(question, answer);
    const near = asking('How do I disable two-factor authentication?');
    await cache.store(near, { ...answer, text: 'Do not.' });
    await cache.replace(paraphrase, { ...answer, text: 'Fresh.' }, LIMITS);
    expect(await cache.lookUp(question, LIMITS)).toMatchObject({
      outcome: 'hit',
      answer: { text: 'Fresh.' },
    });
    expect(await cache.lookUp(near, LIMITS)).toMatchObject({ outcome: 'hit', answer: { text: 'Do not.' } });
    expect((await server.raw.count(COLLECTION, { exact: true })).count).toBe(2);
  });

  test('that was cut by length is refused', async () => {
    const cache = patient();
    await expect(cache.store(question, { ...answer, finishReason: 'length' })).rejects.toThrow(
      'whole answer',
    );
    expect(await cache.lookUp(question, LIMITS)).toEqual({ outcome: 'miss' });
  });

  test.each([
    ['tenant', { tenant: 'other' }],
    ['partition', { partition: 'other' }],
    ['key', { key: 'another question with the same point id' }],
    ['shape', { usage: 'unknown' }],
  ])('whose payload has another %s is no hit', async (_name, change) => {
    const cache = patient();
    await cache.store(question, answer);
    await server.raw.setPayload(COLLECTION, { wait: true, points: [entryId], payload: change });
    const found = await cache.lookUp(question, LIMITS);
    // A wrong key alone leaves the words, which the verifier reads again.
    if (!('key' in change)) expect(found).toEqual({ outcome: 'miss' });
    else expect(found).toMatchObject({ outcome: 'hit', answer: { similarity: expect.closeTo(1, 3) } });
  });

  test('of a text that is too long to compare is found by the same words only', async () => {
    const cache = patient();
    const long = asking(`Summarize: ${'The river carries light over stone. '.repeat(200)}`);
    await cache.store(long, answer);
    expect(await cache.lookUp(long, LIMITS)).toMatchObject({ outcome: 'hit', answer: { similarity: 1 } });
    const [point] = await server.raw.retrieve(COLLECTION, {
      ids: [pointId(cacheKey(long))],
      with_vector: true,
    });
    expect(point?.vector ?? {}).toEqual({});
  });
});

describe('a judge', () => {
  const doubtful = asking('How do I handle two-factor authentication on a phone?');
  const model = (ask: (call: JudgeCall) => Promise<Usage | null>): JudgeModel => ({
    ask,
    estimate: async (_, answered) => ({
      ...NO_USAGE,
      inputTokens: 100,
      outputTokens: answered.length,
      estimated: true,
    }),
    priceOf: ({ inputTokens, outputTokens }) => inputTokens + 10 * outputTokens,
  });
  const usage = { ...NO_USAGE, inputTokens: 90, outputTokens: 1 };
  const says = (text: string, reported: Usage | null = usage) =>
    model(async ({ onText }) => {
      onText(text);
      return reported;
    });
  const noted: Omit<Judgement, 'same'>[] = [];
  const note: NoteJudge = async (call) => {
    noted.push(call);
    return true;
  };
  const judging = { ...LIMITS, judge: true };

  test('decides when the verifier is unsure, and its cost is reported either way', async () => {
    await patient().store(question, answer);
    const judgement = { provider: 'p', model: 'small', costMicroUsd: 100 };
    expect(await patient(says('SAME')).lookUp(doubtful, judging, note)).toMatchObject({
      outcome: 'hit',
      judgement: { ...judgement, same: true },
    });
    expect(await patient(says('DIFFERENT')).lookUp(doubtful, judging, note)).toMatchObject({
      outcome: 'miss',
      judgement: { ...judgement, same: false },
    });
  });

  test('is not asked about a sure difference, nor on a route without a judge', async () => {
    let calls = 0;
    const counting = model(async (call) => {
      calls += 1;
      return says('SAME').ask(call);
    });
    await patient().store(question, answer);
    const opposite = asking('How do I disable two-factor authentication?');
    expect(await patient(counting).lookUp(opposite, judging, note)).toEqual({ outcome: 'miss' });
    expect(await patient(counting).lookUp(doubtful, LIMITS, note)).toEqual({ outcome: 'miss' });
    expect(calls).toBe(0);
  });

  test.each<[string, JudgeModel, Usage]>([
    ['that is late', model(() => new Promise(() => undefined)), { ...NO_USAGE, inputTokens: 100 }],
    [
      'that breaks off',
      model(async ({ onText }) => {
        onText('SA');
        throw new UnbrokenError('provider_stream_cut', 'cut');
      }),
      { ...NO_USAGE, inputTokens: 100, outputTokens: 2 },
    ],
    [
      'whose connection broke after it was sent',
      model(async () => {
        throw new UnbrokenError('provider_connect_failed', 'reset', { details: { sent: true } });
      }),
      { ...NO_USAGE, inputTokens: 100 },
    ],
    [
      'that does not say what it used',
      says('DIFFERENT', null),
      { ...NO_USAGE, inputTokens: 100, outputTokens: 9 },
    ],
  ])('%s leaves a miss, and is paid by our own count', async (_, failing, used) => {
    await patient().store(question, answer);
    const costMicroUsd = used.inputTokens + 10 * used.outputTokens;
    expect(await patient(failing).lookUp(doubtful, judging, note)).toMatchObject({
      outcome: 'miss',
      judgement: { same: false, usage: { ...used, estimated: true }, costMicroUsd },
    });
  });

  test('that was refused leaves a miss, and costs nothing', async () => {
    await patient().store(question, answer);
    const refusing = model(async () => {
      throw new UnbrokenError('provider_unavailable', '503: overloaded');
    });
    expect(await patient(refusing).lookUp(doubtful, judging, note)).toMatchObject({
      outcome: 'miss',
      judgement: { same: false, usage: NO_USAGE, costMicroUsd: 0 },
    });
  });

  test('is paid even if the accepted answer can no longer be read', async () => {
    const qdrantGone = patient(
      model(async ({ onText }) => {
        // The owner of the answer deletes it meanwhile.
        await server.raw.delete(COLLECTION, { wait: true, points: [entryId] });
        onText('SAME');
        return usage;
      }),
    );
    await patient().store(question, answer);
    expect(await qdrantGone.lookUp(doubtful, judging, note)).toMatchObject({
      outcome: 'miss',
      judgement: { same: true, costMicroUsd: 100 },
    });
  });

  test('is on record before its call is made, and is not called again if it is on record', async () => {
    await patient().store(question, answer);
    noted.length = 0;
    let notedBefore = 0;
    const watching = model(async (call) => {
      notedBefore = noted.length;
      return says('SAME').ask(call);
    });
    await patient(watching).lookUp(doubtful, judging, note);
    expect(notedBefore).toBe(1);
    expect(noted[0]).toMatchObject({ provider: 'p', model: 'small', usage: { estimated: true } });
    notedBefore = 0;
    expect(await patient(watching).lookUp(doubtful, judging, async () => false)).toEqual({ outcome: 'miss' });
    expect(notedBefore).toBe(0);
  });
});
