/**
 * Users who have sent all that can be sent, with words that can be recognised anywhere; then they are erased, and every
 * store is searched for those words and for their names.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient, type ErasureView } from '../../clients/typescript/index.ts';
import { textOf } from '../../contracts/fold-events.ts';
import { REDIS_KEYS, workflowId } from '../../contracts/names.ts';
import { STORED_IN_REDIS, type StorageRule } from '../../engine/erasure/stored-data.ts';
import { connectRedis, type RedisConnection } from '../../platform/redis/redis-connection.ts';
import { BatchClient, chatLine } from '../harness/batches.ts';
import { endOf } from '../harness/jobs.ts';
import { startReading } from '../harness/reader.ts';
import { runCli } from '../harness/run-cli.ts';
import {
  complainAsOf,
  type Person,
  say,
  sendEverything,
  untilAnswerIsStored,
} from '../harness/send-everything.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { qdrantPoints, redisValues, storedObjects, temporalText } from '../harness/stored-text.ts';
import { closeTemporalClients, temporalClient } from '../harness/streaming-worker.ts';
import { connectApi, type UnbrokenApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

const SECRET = `whsec_${Buffer.from('a secret of one request, long enough').toString('base64')}`;
const folder = mkdtempSync(join(tmpdir(), 'unbroken-erasure-'));
const tenant = `house-${randomUUID().slice(0, 8)}`;
let stack: Stack;
let redis: RedisConnection;
let receiver: Server;
let admin: UnbrokenApi;

beforeAll(async () => {
  receiver = createServer((request, response) => {
    request.resume();
    response.end();
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  stack = await startStack({
    config: {
      objectStore: { folder },
      archive: { afterMs: 2_000 },
      webhooks: { allowPrivateNetwork: true },
    },
  });
  redis = await connectRedis(stack.env['REDIS_URL'] ?? '', () => undefined);
  const scopes = ['generate', 'any-user', 'admin'] as const;
  admin = connectApi(stack.api.url, await stack.addKey({ tenant, user: 'root', scopes: [...scopes] }));
});
afterAll(async () => {
  redis?.destroy();
  receiver?.closeAllConnections();
  receiver?.close();
  await closeTemporalClients();
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function newPerson(name: string): Promise<Person> {
  const id = randomUUID().slice(0, 8);
  const user = `${name}-${id}`;
  const key = await stack.addKey({ tenant, user, scopes: ['generate'] });
  const api = connectApi(stack.api.url, key);
  const client = createClient({ baseUrl: api.url, apiKey: key });
  return { name: user, word: `XYZZY${name}${id}`, api, client };
}

const url = () => {
  const address = receiver.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/hook?${randomUUID()}`;
};
const untilStored = (id: string) => untilAnswerIsStored(stack.env, id);

async function runIds(): Promise<string[]> {
  const { workflow } = await temporalClient(stack.env);
  const ids = new Set<string>();
  for (const prefix of ['', 'temporal-sys-scheduler:']) {
    const division = prefix === '' ? '' : ' AND TemporalNamespaceDivision = "TemporalScheduler"';
    const query = `WorkflowId STARTS_WITH "${prefix}${tenant}/"${division}`;
    for await (const run of workflow.list({ query })) ids.add(run.workflowId);
  }
  return [...ids];
}

/** Where these words are, by store. Keys that stay by design are left out. */
async function placesOf(words: readonly string[]) {
  const says = (text: string) => words.some((word) => text.includes(word));
  const namesIn = (values: ReadonlyMap<string, string>) =>
    [...values].flatMap(([name, value]) => (says(name) || says(value) ? [name] : []));
  const ids = await runIds();
  const runs = await Promise.all(
    ids.map(async (id) => [id, await temporalText(stack.env, [id]).catch(() => '')] as const),
  );
  return {
    redis: namesIn(await redisValues(redis)).filter((name) => !isKept(name)),
    qdrant: namesIn(await qdrantPoints(stack.env)),
    objects: namesIn(await storedObjects(folder)),
    temporal: namesIn(new Map(runs)),
  };
}

const NOWHERE = { redis: [], qdrant: [], objects: [], temporal: [] };

/** The family of a key, by how its name begins. */
const FAMILIES = Object.entries(REDIS_KEYS).map(([family, key]) => {
  const named = typeof key === 'string' ? key : (key as (...parts: string[]) => string)('§', '§', '§');
  const [prefix = ''] = named.split(/%C2%A7|§/);
  return { family: family as keyof typeof REDIS_KEYS, prefix };
});

function isKept(name: string): boolean {
  const families = FAMILIES.filter(({ prefix }) => name.startsWith(prefix));
  const rules = families.map(({ family }): StorageRule => STORED_IN_REDIS[family]);
  return rules.length > 0 && rules.every((rule) => 'kept' in rule);
}

const erase = async (by: UnbrokenApi, user: string) => {
  const response = await by.send(`/v1/users/${user}/data`, { method: 'DELETE' });
  expect([response.status, response.headers.get('location')]).toEqual([
    202,
    expect.stringContaining('/v1/erasures/erase_'),
  ]);
  return (await response.json()) as ErasureView;
};
const receiptOf = async (by: UnbrokenApi, id: string) => by.send(`/v1/erasures/${id}`);
const countsIn = ({ removed }: ErasureView) =>
  Object.fromEntries(removed.map(({ kind, count }) => [kind, count]));

describe('an erased user', () => {
  test('leaves no word in any store, though workers die, and the receipt counts what was there', async () => {
    const [grace, bob] = [await newPerson('grace'), await newPerson('bob')];
    const words = [grace.word, grace.name];
    const sent = await sendEverything(grace, {
      tenant,
      stack,
      redis,
      webhook: () => ({ url: url(), secret: SECRET }),
    });
    const bobs = await bob.client.submit({ input: say(bob.word) });
    await startReading(bob.api, bobs.id).whole;
    await waitFor('the archive has the first', async () => {
      return (await redis.exists(REDIS_KEYS.logStream(sent.first))) === 0;
    });
    const { id: second } = await grace.client.submit({ input: say(grace.word), cache: 'off' });
    await startReading(grace.api, second).whole;
    const { id: long } = await grace.client.submit({ input: say(grace.word, 3_000, 20), cache: 'off' });
    await startReading(grace.api, long).deltas(3);
    const before = await placesOf(words);
    for (const [store, places] of Object.entries(before)) {
      expect([store, places.length > 0]).toEqual([store, true]);
    }
    const wasArchived = [...(await storedObjects(folder)).keys()].some((key) => key.endsWith(sent.lost));
    // Every key that is there belongs to a family that has a rule.
    const unknown = [...(await redisValues(redis)).keys()].filter(
      (name) => name.startsWith('ub:') && !FAMILIES.some(({ prefix }) => name.startsWith(prefix)),
    );
    expect(unknown).toEqual([]);

    const [begun, again] = await Promise.all([erase(grace.api, grace.name), erase(admin, grace.name)]);
    expect([again.id, begun.status, begun.scope]).toEqual([begun.id, 'running', 'user']);
    await stack.workers[0]?.kill();
    await stack.workers[0]?.restart();
    const receipt = await grace.client.erasures.wait(begun.id);

    expect(await placesOf(words)).toEqual(NOWHERE);
    expect(countsIn(receipt)).toEqual({
      // Of the conversation, the completion, the chat, the job and the schedule; two of the batch; the first, the
      // second, the long one. And that of the lost log, if the archive was faster than its loss.
      generations: 10 + (wasArchived ? 1 : 0),
      jobs: 1,
      batches: 1,
      files: 2,
      schedules: 1,
      conversations: 1,
      // That of the lost log at least.
      cachedAnswers: expect.any(Number),
      complaints: 1,
      feedback: 1,
      chats: 1,
      callAnswers: 1,
      retries: 2,
      webhookDeliveries: 3,
      runs: expect.any(Number),
    });
    expect(receipt.remains.map(({ kind, count }) => [kind, count])).toEqual([
      ['ledger', null],
      ['apiKeys', 1],
    ]);
    expect(JSON.stringify(receipt)).not.toContain(grace.name);
    // What the user spent is still in the ledger; bob has all that is bob's.
    const usage = await (await admin.send(`/v1/usage?user=${grace.name}`)).text();
    expect(usage).toMatch(/"costMicroUsd":[1-9]/);
    expect(textOf(await startReading(bob.api, bobs.id).whole)).not.toBe('');
    const places = await placesOf([bob.word]);
    expect(places.redis.length + places.objects.length).toBeGreaterThan(0);
  });

  test('finds nothing of what it had, and its keys of requests start nothing', async () => {
    const ann = await newPerson('ann');
    const request = { input: say(ann.word), cache: 'off' as const };
    const created = await ann.api.create(request, 'the same key');
    await startReading(ann.api, created.body.id).whole;
    const { id } = await erase(ann.api, ann.name);
    await ann.client.erasures.wait(id);
    expect((await ann.api.view(created.body.id)).status).toBe(404);
    expect(await ann.client.list()).toEqual([]);
    const same = await ann.api.create(request, 'the same key');
    expect([same.status, same.body.error.code]).toEqual([409, 'idempotency_conflict']);
    expect(await placesOf([ann.word, ann.name])).toEqual(NOWHERE);
  });

  test('keeps what it begins after the request, and the receipt does not count it', async () => {
    const eve = await newPerson('eve');
    const { id: long } = await eve.client.submit({ input: say(eve.word, 3_000, 20), cache: 'off' });
    await startReading(eve.api, long).deltas(3);
    const { id, before } = await erase(eve.api, eve.name);
    const later = await eve.client.submit({ input: say(eve.word), cache: 'off' });
    await startReading(eve.api, later.id).whole;
    const receipt = await eve.client.erasures.wait(id);
    expect(countsIn(receipt)).toMatchObject({ generations: 1, runs: 1 });
    const kept = (await eve.api.view(later.id)).body;
    expect([kept.status, kept.createdAt > before]).toEqual(['completed', true]);
    expect((await eve.client.list()).map((generation) => generation.id)).toEqual([later.id]);
    // A second erasure is another one, and takes it too.
    const next = await erase(admin, eve.name);
    expect(next.id).not.toBe(id);
    await eve.client.erasures.wait(next.id);
    expect(await placesOf([eve.word, eve.name])).toEqual(NOWHERE);
  });

  test('is erased by a key of the user or of an admin, and no other key finds the receipt', async () => {
    const [ann, bob] = [await newPerson('ann'), await newPerson('bob')];
    const refused = await bob.api.send(`/v1/users/${ann.name}/data`, { method: 'DELETE' });
    expect([refused.status, await refused.json()]).toMatchObject([403, { error: { code: 'forbidden' } }]);
    expect((await bob.api.send('/v1/users/no%20name/data', { method: 'DELETE' })).status).toBe(400);
    const { id } = await erase(ann.api, ann.name);
    await ann.client.erasures.wait(id);
    expect((await receiptOf(admin, id)).status).toBe(200);
    expect((await receiptOf(bob.api, id)).status).toBe(404);
    expect((await receiptOf(stack.api, id)).status).toBe(404);
    const listed = async (by: UnbrokenApi, query = '') =>
      ((await (await by.send(`/v1/erasures${query}`)).json()) as { data: ErasureView[] }).data.map(
        (receipt) => receipt.id,
      );
    expect([await listed(ann.api), await listed(bob.api)]).toEqual([[id], []]);
    expect(await listed(admin, `?user=${ann.name}`)).toEqual([id]);
    expect((await bob.api.send(`/v1/erasures?user=${ann.name}`)).status).toBe(403);
  });

  test('is erased by the command line, which prints the receipt, and asks for --yes', async () => {
    const ann = await newPerson('ann');
    const { id } = await ann.client.submit({ input: say(ann.word), cache: 'off' });
    await startReading(ann.api, id).whole;
    const unsure = await runCli(admin, ['erase', 'user', ann.name]);
    expect([unsure.code, unsure.error]).toEqual([1, expect.stringContaining('--yes')]);
    const erased = await runCli(admin, ['erase', 'user', ann.name, '--yes']);
    expect([erased.code, erased.out]).toEqual([0, expect.stringContaining('generations\t1')]);
    expect(erased.out).toContain('remains: ledger');
    const listed = await runCli(ann.api, ['erase', 'list', '--json']);
    expect(JSON.parse(listed.out)).toMatchObject([{ scope: 'user', status: 'completed' }]);
  });
});

describe('an erased job', () => {
  test('takes its generations with it, and nothing else', async () => {
    const ann = await newPerson('ann');
    const definition = { steps: { each: { input: say(ann.word, 2_000, 20), foreach: '/input/list' } } };
    const run = () =>
      ann.client.jobs.run({
        definition: { input: { list: { type: 'list' } }, ...definition },
        input: { list: ['a', 'b'] },
        webhook: { url: url(), secret: SECRET },
      });
    const job = await run();
    const other = await ann.client.submit({ input: say(ann.word), cache: 'off' });
    await startReading(ann.api, other.id).whole;
    await waitFor('it runs', async () => {
      const step = await ann.client.jobs.step(job.id, 'each');
      return step.generations.length === 2;
    });
    const { generations } = await ann.client.jobs.step(job.id, 'each');
    const begun = await ann.client.erasures.job(job.id);
    expect(begun).toMatchObject({ scope: 'job', jobId: job.id });
    const receipt = await ann.client.erasures.wait(begun.id);
    expect(countsIn(receipt)).toEqual({ generations: 2, jobs: 1, webhookDeliveries: 1, runs: 4 });
    await expect(ann.client.jobs.get(job.id)).rejects.toMatchObject({ status: 404 });
    expect((await ann.client.jobs.list()).map(({ id }) => id)).toEqual([]);
    for (const { generationId } of generations) {
      expect((await ann.api.view(generationId ?? '')).status).toBe(404);
      expect(await redis.exists(REDIS_KEYS.logInput(generationId ?? ''))).toBe(0);
    }
    expect((await ann.api.view(other.id)).body.status).toBe('completed');
    await expect(ann.client.erasures.job(job.id)).rejects.toMatchObject({ status: 404 });
  });
});

describe('an erased generation', () => {
  const statusOfDelivery = async (generationId: string) => {
    const keys = await redis.keys(`ub:webhooks:{${tenant}}:delivery:*:head`);
    const heads = await Promise.all(keys.map((key) => redis.hGetAll(key)));
    return heads.find(({ fixed }) => fixed?.includes(generationId))?.['status'];
  };

  test('is cancelled and gone, with its feedback, its history, and what the cache has of it', async () => {
    const ann = await newPerson('ann');
    const webhook = { url: url(), secret: SECRET };
    const done = await ann.client.submit({ input: say(ann.word), webhook });
    await startReading(ann.api, done.id).whole;
    await untilStored(done.id);
    await ann.client.giveFeedback(done.id, { score: 1, comment: ann.word });
    await complainAsOf({ tenant, redis }, ann, done.id);
    await waitFor('the webhook', async () => (await statusOfDelivery(done.id)) === 'delivered');
    expect(await ann.client.erasures.generation(done.id)).toEqual({
      id: done.id,
      object: 'generation',
      deleted: true,
      removed: [
        { kind: 'generations', count: 1 },
        { kind: 'cachedAnswers', count: 1 },
        { kind: 'complaints', count: 1 },
        { kind: 'feedback', count: 1 },
        { kind: 'webhookDeliveries', count: 1 },
        { kind: 'runs', count: 2 },
      ],
      remains: [{ kind: 'ledger', count: null, reason: expect.any(String), until: null }],
    });
    const { id: running } = await ann.client.submit({ input: say(ann.word, 3_000, 20), cache: 'off' });
    await startReading(ann.api, running).deltas(3);
    const { removed } = await ann.client.erasures.generation(running);
    expect(removed).toEqual([
      { kind: 'generations', count: 1 },
      { kind: 'runs', count: 1 },
    ]);
    for (const id of [done.id, running]) expect((await ann.api.view(id)).status).toBe(404);
    await waitFor('Temporal to delete the histories', async () => {
      const ids = await runIds();
      return ![done.id, running].some((id) => ids.includes(workflowId(tenant, id)));
    });
    expect(await placesOf([ann.word])).toEqual(NOWHERE);
    await expect(ann.client.erasures.generation(done.id)).rejects.toMatchObject({ status: 404 });
  });

  test('is answered with what has copies of it, and a webhook that has not arrived is still sent', async () => {
    const ann = await newPerson('ann');
    const job = await ann.client.jobs.run({ definition: { steps: { draft: { input: say(ann.word) } } } });
    await endOf(ann.client, job.id);
    const [draft] = (await ann.client.jobs.step(job.id, 'draft')).generations;
    const ofJob = await ann.client.erasures.generation(draft?.generationId ?? '');
    expect(ofJob.remains.map(({ kind }) => kind)).toEqual(['ledger', 'jobs']);
    expect(ofJob.remains[1]?.reason).toContain(`DELETE /v1/jobs/${job.id}`);
    expect((await ann.client.jobs.get(job.id)).status).toBe('completed');

    const webhook = { url: 'http://127.0.0.1:1/nobody', secret: SECRET };
    const { id } = await ann.client.submit({ input: say(ann.word), cache: 'off', webhook });
    await startReading(ann.api, id).whole;
    const { removed, remains } = await ann.client.erasures.generation(id);
    expect(removed.map(({ kind }) => kind)).toEqual(['generations', 'runs']);
    const [, waiting] = remains;
    expect([waiting?.kind, waiting?.count, (waiting?.until ?? 0) > Date.now()]).toEqual([
      'webhookDeliveries',
      1,
      true,
    ]);
    expect(await statusOfDelivery(id)).toBe('pending');
  });
});

describe('a deleted file', () => {
  test('stays while a batch reads it, whosever that batch is', async () => {
    const ann = await newPerson('ann');
    const [own, reader] = [ann.api, admin].map(({ url, key }) => new BatchClient(url, key));
    if (own === undefined || reader === undefined) throw new Error('no client');
    const fileId = await own.upload([chatLine('a', say(ann.word, 200, 20))]);
    const batch = { endpoint: '/v1/chat/completions', completion_window: '24h' } as const;
    const { id } = await reader.openai.batches.create({ input_file_id: fileId, ...batch });
    const remove = ({ openai }: BatchClient) =>
      // The official client would repeat a 409.
      openai.files.delete(fileId, { maxRetries: 0 }).catch(({ status, code, message }) => {
        return { status, code, message };
      });
    const refused = { status: 409, code: 'batch_conflict' };
    const ofAnother = expect.stringContaining('another user');
    expect(await remove(own)).toMatchObject({ ...refused, message: ofAnother });
    expect(await remove(reader)).toMatchObject({ ...refused, message: expect.stringContaining(id) });
    expect((await reader.endOf(id)).status).toBe('completed');
    expect(await remove(own)).toMatchObject({ deleted: true });
  });
});
