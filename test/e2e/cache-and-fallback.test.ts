import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { GenerationEvent } from '../../contracts/events.ts';
import { isTerminal, textOf } from '../../contracts/fold-events.ts';
import type { GenerationRequest } from '../../contracts/generation.ts';
import { workflowId } from '../../contracts/names.ts';
import { findFreePort } from '../../tools/services/ports.ts';
import { announcedServices } from '../harness/announced-services.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, temporalClient } from '../harness/streaming-worker.ts';
import { eventsOf } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  await stack?.stop();
  await closeTemporalClients();
});
beforeEach(() => stack.sim.forget());
afterEach(() => stack.sim.clearFaults());

/** Prompts that no other test has, and whose answer the simulated provider makes as the plan says. */
function wordsOf(plan: { tokens: number }): (words: string) => string {
  const [, directive = ''] = /(\[\[.*\]\])/.exec(promptOf({ ...plan, delayMs: 1 })) ?? [];
  const topic = `gadget number ${process.pid}${Date.now()}`;
  // The rules prove short prompts only.
  return (words) => `${words.replace('TOPIC', topic)} ${directive.replace('script=mixed ', '')}`;
}

async function generated(request: GenerationRequest): Promise<readonly GenerationEvent[]> {
  const body = await stack.api.submit(request);
  const events = await startReading(stack.api, body.id).whole;
  expect(faultsOf(events)).toEqual([]);
  // The answer is stored after its reader has it all; the run ends when it is.
  const temporal = await temporalClient(stack.env);
  await temporal.workflow.getHandle(workflowId('dev', body.id)).result();
  return events;
}

const typesOf = (events: readonly GenerationEvent[]) => events.map(({ type }) => type);

describe('the answer cache', () => {
  test('gives the same question the same answer without a call of the provider', async () => {
    const input = promptOf({ tokens: 60, delayMs: 1 });
    const expected = await stack.sim.text(input);
    const first = await generated({ input });
    expect(await stack.sim.calls()).toHaveLength(1);
    const second = await generated({ input });
    expect(first[0]).not.toEqual(second[0]);
    expect(second[1]).toMatchObject({ type: 'cache-hit', similarity: 1, matchedBy: 'same-words' });
    expect(textOf(second)).toBe(expected.text);
    expect(second.at(-1)).toMatchObject({ type: 'generation-end', cached: true, costMicroUsd: 0 });
    expect(await stack.sim.calls()).toHaveLength(1);
  });

  test('gives it to no other user of the tenant, stored or under way, unless the config shares it', async () => {
    const begun = async ({ api }: Stack, input: string, user: string) =>
      startReading(api, (await api.submit({ input, user })).id);
    const slow = promptOf({ tokens: 120, delayMs: 10 });
    const [ofAnn, ofBob] = [await begun(stack, slow, 'ann'), await begun(stack, slow, 'bob')];
    expect(typesOf([...(await ofAnn.whole), ...(await ofBob.whole)])).not.toContain('cache-join');
    expect(await stack.sim.calls()).toHaveLength(2);
    const input = promptOf({ tokens: 20, delayMs: 1 });
    await generated({ input, user: 'ann' });
    expect(typesOf(await generated({ input, user: 'bob' }))).not.toContain('cache-hit');
    expect(typesOf(await generated({ input, user: 'ann' }))).toContain('cache-hit');
    const sharing = await startStack({ config: { cache: { share: 'tenant' } } });
    try {
      await (await begun(sharing, input, 'ann')).whole;
      await waitFor('what ann was answered is given to bob', async () =>
        typesOf(await (await begun(sharing, input, 'bob')).whole).includes('cache-hit'),
      );
    } finally {
      await sharing.stop();
    }
  });

  test('gives it to other words that ask the same, not to those that ask the opposite', async () => {
    const words = wordsOf({ tokens: 40 });
    const first = await generated({ input: words('How do I turn on the TOPIC?') });
    const same = await generated({ input: words('What is the way to switch on the TOPIC?') });
    const matchedBy = expect.stringMatching(/^(?:rules|model)$/);
    expect(same[1]).toMatchObject({ type: 'cache-hit', entryId: expect.any(String), matchedBy });
    expect(textOf(same)).toBe(textOf(first));
    const opposite = await generated({ input: words('How do I turn off the TOPIC?') });
    expect(typesOf(opposite)).not.toContain('cache-hit');
    expect(await stack.sim.calls()).toHaveLength(2);
  });

  test('is used and filled as the request says', async () => {
    const input = promptOf({ tokens: 20, delayMs: 1 });
    const isHit = async (request: Partial<GenerationRequest>) =>
      typesOf(await generated({ input, ...request })).includes('cache-hit');
    expect(await isHit({ cache: 'off' })).toBe(false);
    expect(await isHit({ cache: 'read' })).toBe(false);
    expect(await isHit({ cache: 'write' })).toBe(false);
    expect(await isHit({ cache: 'off' })).toBe(false);
    expect(await isHit({ cache: 'read' })).toBe(true);
    expect(await isHit({ cache: 'refresh' })).toBe(false);
    expect(await isHit({ cacheMaxAgeMs: 0, cache: 'read' })).toBe(false);
    expect(await isHit({ cacheMaxAgeMs: 60_000 })).toBe(true);
  });

  test('says in the headers of a stream what it did', async () => {
    const input = promptOf({ tokens: 20, delayMs: 1 });
    const streamed = async () => {
      const body = JSON.stringify({ input, stream: true });
      const response = await stack.api.send('/v1/generations', { method: 'POST', body });
      for await (const event of eventsOf(response)) if (isTerminal(event)) break;
      return Object.fromEntries(
        [...response.headers].filter(([name]) => name.startsWith('x-unbroken-cache')),
      );
    };
    expect(await streamed()).toEqual({ 'x-unbroken-cache': 'miss' });
    // Until the first answer is stored, a caller with the same question joins it.
    const stored = await waitFor('a hit', async () => {
      const headers = await streamed();
      return headers['x-unbroken-cache'] === 'join' ? null : headers;
    });
    expect(stored).toEqual({
      'x-unbroken-cache': 'hit',
      'x-unbroken-cache-similarity': '1.0000',
      'x-unbroken-cache-matched-by': 'same-words',
      'x-unbroken-cache-age-ms': expect.stringMatching(/^\d+$/),
      'x-unbroken-cache-entry': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  test('forgets an answer by its id, those of a user, and all, but not for a key of another user', async () => {
    const input = promptOf({ tokens: 20, delayMs: 1 });
    const user = `user-${Date.now()}`;
    const remove = async (path: string, key = stack.api.key) => {
      const headers = { authorization: `Bearer ${key}` };
      const response = await stack.api.send(path, { method: 'DELETE', headers });
      return { status: response.status, body: await response.json() };
    };
    await generated({ input, user });
    const hit = (await generated({ input, user }))[1];
    const entryId = hit?.type === 'cache-hit' ? hit.entryId : undefined;
    const ordinary = await stack.addKey({ tenant: 'dev', user: 'ann', scopes: ['generate'] });
    expect(await remove(`/v1/cache/entries/${entryId}`, ordinary)).toMatchObject({ status: 404 });
    expect(await remove(`/v1/cache/users/${user}`, ordinary)).toMatchObject({ status: 403 });
    expect(await remove('/v1/cache', ordinary)).toMatchObject({ status: 403 });
    expect(await remove(`/v1/cache/entries/${entryId}`)).toEqual({ status: 200, body: { deleted: 1 } });
    expect(await remove(`/v1/cache/entries/${entryId}`)).toMatchObject({ status: 404 });
    expect(typesOf(await generated({ input, user }))).not.toContain('cache-hit');
    expect(await remove(`/v1/cache/users/${user}`)).toEqual({ status: 200, body: { deleted: 1 } });
    expect(typesOf(await generated({ input, user }))).not.toContain('cache-hit');
    expect((await remove('/v1/cache')).body).toEqual({ deleted: expect.any(Number) });
    expect(typesOf(await generated({ input, user }))).not.toContain('cache-hit');
  });

  test('that is down costs a generation nothing but time, and the log says so', async () => {
    const away = await startStack({
      services: { ...announcedServices(), QDRANT_URL: `http://127.0.0.1:${await findFreePort()}` },
    });
    try {
      const body = await away.api.submit({ input: promptOf({ tokens: 20, delayMs: 1 }) });
      const events = await startReading(away.api, body.id).whole;
      expect(events[1]).toMatchObject({ type: 'cache-skip', reason: expect.any(String) });
      expect(events.at(-1)?.type).toBe('generation-end');
    } finally {
      await away.stop();
    }
  });
});

describe('a provider that fails', () => {
  test('is replaced by the next candidate of the route, and the reader sees one whole answer', async () => {
    await stack.sim.fault({ kind: 'status', wire: 'openai-responses', status: 500, times: 10 });
    const input = promptOf({ tokens: 60, delayMs: 1 });
    const body = await stack.api.submit({ input, cache: 'off' });
    const events = await startReading(stack.api, body.id).whole;
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe((await stack.sim.text(input)).text);
    expect(events.at(-1)).toMatchObject({ type: 'generation-end', provider: 'simulated-messages' });
    const errors = events.flatMap((event) => (event.type === 'provider-error' ? [event] : []));
    expect(errors.length).toBeGreaterThan(0);
    expect(new Set(errors.map((error) => error.provider))).toEqual(new Set(['simulated']));
  });
});
