import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CachedEntry, ComplaintView, WholeCachedEntry } from '../../contracts/cached-entries.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import type { GenerationRequest } from '../../contracts/generation.ts';
import type { Scope } from '../../contracts/keys.ts';
import type { FeedbackView } from '../../contracts/prompts.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { connectApi, type UnbrokenApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

const END = '[[sim tokens=8 delay_ms=1]]';
const OWN = `How do I get a refund for a train ticket? ${END}`;
const OTHER = `Hello, how do I get a refund for a train ticket, please? ${END}`;

let stack: Stack;
beforeAll(async () => {
  // Each look-up may be another worker's.
  stack = await startStack({ workers: 2, config: { cache: { share: 'tenant' } } });
});
afterAll(() => stack?.stop());

/** Users of a tenant that no other test has. */
async function newTenant() {
  const tenant = `feedback-${randomUUID()}`;
  const as = async (user: string, scopes: Scope[]) =>
    connectApi(stack.api.url, await stack.addKey({ tenant, user, scopes }));
  return {
    admin: await as('root', ['admin', 'generate']),
    ann: await as('ann', ['generate']),
    bob: await as('bob', ['generate']),
  };
}

interface Asked {
  readonly id: string;
  readonly hit: Extract<GenerationEvent, { type: 'cache-hit' | 'cache-join' }> | undefined;
}

async function ask(api: UnbrokenApi, input: string, more: Partial<GenerationRequest> = {}): Promise<Asked> {
  const body = await api.submit({ input, ...more });
  const events = await startReading(api, body.id).whole;
  const hit = events.find(({ type }) => type === 'cache-hit' || type === 'cache-join');
  return { id: body.id, hit: hit as Asked['hit'] };
}

async function entriesOf(api: UnbrokenApi): Promise<readonly CachedEntry[]> {
  return ((await (await api.send('/v1/cache/entries')).json()) as { data: CachedEntry[] }).data;
}

/** An answer is stored after its reader has it all. */
async function stored(api: UnbrokenApi, input: string): Promise<CachedEntry> {
  await ask(api, input);
  return waitFor('the stored answer', async () =>
    (await entriesOf(api)).find(({ question }) => question === input),
  );
}

async function rate(api: UnbrokenApi, id: string, score: number): Promise<FeedbackView> {
  const response = await api.send(`/v1/generations/${id}/feedback`, {
    method: 'POST',
    body: JSON.stringify({ score }),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as FeedbackView;
}

async function complaintsOf(api: UnbrokenApi, query = '') {
  const response = await api.send(`/v1/cache/complaints${query}`);
  return {
    status: response.status,
    body: (await response.json()) as { data: ComplaintView[]; next: string | null },
  };
}

const remove = (api: UnbrokenApi, path: string) => api.send(`/v1/cache/${path}`, { method: 'DELETE' });

describe('negative feedback on an answer to another question', () => {
  test('quarantines the pair at once, on every worker, counts once, is shown, and can be lifted', async () => {
    const { admin, ann, bob } = await newTenant();
    const entry = await stored(ann, OWN);
    const wrong = await ask(bob, OTHER);
    expect(wrong.hit).toMatchObject({ type: 'cache-hit', entryId: entry.id, questionId: expect.any(String) });
    expect(wrong.hit?.questionId).not.toBe(entry.id);
    expect(await rate(bob, wrong.id, -1)).toMatchObject({ score: -1, cache: 'quarantined' });
    for (let again = 0; again < 6; again += 1) {
      expect((await ask(bob, OTHER, { cache: 'read' })).hit).toBeUndefined();
    }
    expect((await ask(ann, OWN)).hit).toMatchObject({ entryId: entry.id });
    await Promise.all([rate(bob, wrong.id, -1), rate(bob, wrong.id, -0.5)]);
    // Nor does praise take it back.
    expect((await rate(bob, wrong.id, 1)).cache).toBeUndefined();
    const [shown] = await entriesOf(admin);
    expect(shown).toMatchObject({ id: entry.id, complaints: 1 });
    const whole = (await (await admin.send(`/v1/cache/entries/${entry.id}`)).json()) as WholeCachedEntry;
    const complaint = { entryId: entry.id, generation: wrong.id, user: 'bob', questions: [OTHER] };
    expect(whole.quarantined).toMatchObject([{ ...complaint, storedQuestion: OWN }]);
    expect((await complaintsOf(admin)).body).toMatchObject({ data: [complaint], next: null });
    const path = `entries/${entry.id}/complaints/${wrong.id}`;
    expect((await remove(bob, path)).status).toBe(403);
    expect((await remove(admin, path)).status).toBe(200);
    expect((await remove(admin, path)).status).toBe(404);
    expect((await ask(bob, OTHER, { cache: 'read' })).hit).toMatchObject({ entryId: entry.id });
  });

  test('shows other users neither the question nor the list, and changes nothing for another tenant', async () => {
    const [own, strange] = [await newTenant(), await newTenant()];
    const [entry] = [await stored(own.ann, OWN), await stored(strange.ann, OWN)];
    const wrong = await ask(own.bob, OTHER);
    expect(
      (
        await strange.bob.send(`/v1/generations/${wrong.id}/feedback`, {
          method: 'POST',
          body: '{"score":-1}',
        })
      ).status,
    ).toBe(404);
    await rate(own.bob, wrong.id, -1);
    const ofAnn = await (await own.ann.send(`/v1/cache/entries/${entry.id}`)).json();
    expect(ofAnn).toMatchObject({ complaints: 1, quarantined: [] });
    expect((await complaintsOf(own.bob)).status).toBe(403);
    expect((await complaintsOf(strange.admin)).body.data).toEqual([]);
    expect((await remove(strange.admin, `entries/${entry.id}/complaints/${wrong.id}`)).status).toBe(404);
    expect((await ask(strange.bob, OTHER, { cache: 'read' })).hit).toMatchObject({ type: 'cache-hit' });
  });

  test.each([
    ['the entry', (entry: CachedEntry) => `entries/${entry.id}`],
    ['its user', () => 'users/ann'],
    ['the user who complained', () => 'users/bob'],
    ['the tenant', () => ''],
  ])('is deleted with %s', async (_, path) => {
    const { admin, ann, bob } = await newTenant();
    const entry = await stored(ann, OWN);
    await rate(bob, (await ask(bob, OTHER)).id, -1);
    expect((await complaintsOf(admin)).body.data).toHaveLength(1);
    const whole = path(entry) === '' ? '/v1/cache' : `/v1/cache/${path(entry)}`;
    expect((await admin.send(whole, { method: 'DELETE' })).status).toBe(200);
    expect((await complaintsOf(admin)).body.data).toEqual([]);
  });
});

test('negative feedback on an answer to the same words deletes that answer, and not the next one', async () => {
  const { ann } = await newTenant();
  const entry = await stored(ann, OWN);
  const again = await ask(ann, OWN);
  expect(again.hit).toMatchObject({ entryId: entry.id, questionId: entry.id, similarity: 1 });
  expect(await rate(ann, again.id, -1)).toMatchObject({ cache: 'deleted' });
  expect(await entriesOf(ann)).toEqual([]);
  const fresh = await stored(ann, OWN);
  expect(fresh.storedAt).toBeGreaterThan(entry.storedAt);
  await rate(ann, again.id, -1);
  expect(await entriesOf(ann)).toMatchObject([{ id: entry.id, storedAt: fresh.storedAt, complaints: 0 }]);
});

test('feedback on an answer of the model changes nothing in the cache', async () => {
  const { ann } = await newTenant();
  const { body } = await ann.create({ input: OWN });
  await startReading(ann, body.id).whole;
  const entries = await waitFor('the stored answer', async () => {
    const found = await entriesOf(ann);
    return found.length === 1 ? found : undefined;
  });
  expect((await rate(ann, body.id, -1)).cache).toBeUndefined();
  expect(await entriesOf(ann)).toEqual(entries);
});

test.each(['?after=x', '?after=-1', '?limit=0', '?user=ann'])(
  'a list of complaints with %s is refused',
  async (query) => {
    const { admin } = await newTenant();
    expect(await complaintsOf(admin, query)).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid_request' } },
    });
  },
);
