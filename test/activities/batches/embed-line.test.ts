/** The lines of a batch that call for embeddings, on a real Redis: each is booked once, wherever its worker dies. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { embedLine } from '../../../activities/batches/prepare-line.ts';
import { VendorLineFormats } from '../../../api/batches/line-formats.ts';
import { readLine } from '../../../engine/batches/batch-line.ts';
import { BatchObjects } from '../../../engine/batches/batch-objects.ts';
import type { BatchSpec } from '../../../engine/batches/batch-store.ts';
import { RedisBatchStore } from '../../../engine/batches/redis-batch-store.ts';
import { FolderObjectStore } from '../../../platform/object-store/folder-object-store.ts';
import { MortalProcess } from '../../engine/archive/mortal-process.ts';
import {
  balanceOf,
  expectBalanced,
  type LedgerBench,
  ledgerOn,
  newOwner,
  startLedgerBench,
} from '../../engine/budget/ledger-bench.ts';

/** More than the calls to Redis of one line. */
const MOST_STEPS = 60;
const TOKENS = 3;
const VECTORS = { object: 'list', data: [{ embedding: [0.5] }], usage: { prompt_tokens: TOKENS } };

const folder = mkdtempSync(join(tmpdir(), 'unbroken-embed-line-'));
let bench: LedgerBench;
let provider: Server;
let calls = 0;
let status = 200;
let batchObjects: BatchObjects;
let lineBytes = 0;
beforeAll(async () => {
  bench = await startLedgerBench();
  provider = createServer((request, response) => {
    calls += 1;
    request.resume();
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(status === 200 ? VECTORS : { error: { message: 'No.' } }));
  });
  provider.listen(0, '127.0.0.1');
  await once(provider, 'listening');
  const store = await FolderObjectStore.open(folder);
  const line = Buffer.from(JSON.stringify({ custom_id: 'a', body: { model: 'sim/embed', input: 'a text' } }));
  lineBytes = line.length;
  await store.put('input', line);
  batchObjects = new BatchObjects(store);
});
afterAll(async () => {
  provider?.closeAllConnections();
  provider?.close();
  await bench?.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Redis = LedgerBench['clients'][0];

class Line {
  readonly owner = newOwner();
  readonly spec: BatchSpec;
  readonly #step;

  constructor() {
    const { tenant } = this.owner;
    const batchId = `batch_of_${tenant}`;
    this.spec = {
      tenant,
      batchId,
      owner: { ...this.owner, scopes: ['generate'] },
      format: 'openai',
      endpoint: '/v1/embeddings',
      inputKey: 'input',
      inputFileId: 'file',
      completionWindow: '24h',
      deadlineAtMs: Date.now() + 60_000,
      outputKeptMs: 60_000,
      headers: {},
      metadata: null,
      requestHash: 'hash',
    };
    const { deadlineAtMs } = this.spec;
    this.#step = { tenant, batchId, shard: 0, line: 0, from: 0, until: lineBytes, deadlineAtMs };
  }

  /** One attempt of the step, by a process with this connection. */
  attempt(redis: Redis): Promise<void> {
    const port = (provider.address() as AddressInfo).port;
    const dependencies = {
      budget: this.ledgerOn(redis).ledger,
      countTexts: async (texts: readonly string[]) => texts.map(() => TOKENS),
      config: {
        http: { jsonValues: 1_000 },
        providers: { sim: { wire: 'openai-chat', baseUrl: `http://127.0.0.1:${port}` } },
        providerKeys: { sim: [{ secret: 'sk-of-the-test' }] },
        routes: {},
        prices: {},
      },
      // It submits no generation.
    } as unknown as ConstructorParameters<typeof VendorLineFormats>[0];
    const embed = embedLine({
      batches: storeOn(redis),
      batchObjects,
      readLine,
      lineFormats: new VendorLineFormats(dependencies, { logKeptMs: 60_000 }),
      mayPayBatch: async () => true,
      nowMs: Date.now,
    });
    return new MockActivityEnvironment().run(embed, this.#step);
  }

  ledgerOn(redis: Redis) {
    return ledgerOn(redis, [{ window: 'day', amount: 1_000_000 }]);
  }

  async outcome() {
    const [redis] = bench.clients;
    const on = this.ledgerOn(redis);
    await expectBalanced(on, this.owner.tenant);
    const { spentTokens, reservedTokens } = await balanceOf(on, this.owner);
    const kept = await storeOn(redis).keptAnswers(this.#step);
    return { spentTokens, reservedTokens, status: kept.get(0)?.response.statusCode };
  }
}

const storeOn = (redis: Redis) => new RedisBatchStore(redis as never, { keptMs: 60_000 });

async function begin(): Promise<Line> {
  const line = new Line();
  await storeOn(bench.clients[0]).create(line.spec);
  calls = 0;
  return line;
}

test.each([
  ['after a call was carried out', true],
  ['before a call is carried out', false],
])('a line is booked once, and has its answer, wherever its worker dies %s', async (_, isLastDone) => {
  const [redis] = bench.clients;
  for (let steps = 1; steps <= MOST_STEPS; steps += 1) {
    const line = await begin();
    const mortal = new MortalProcess(steps, isLastDone);
    const whole = line.attempt(mortal.wrap(redis as never) as never).then(() => true);
    const isWhole = await Promise.race([whole, mortal.died.then(() => false)]);
    await line.attempt(redis);
    expect(await line.outcome()).toEqual({ spentTokens: TOKENS, reservedTokens: 0, status: 200 });
    expect(calls).toBeLessThanOrEqual(2);
    if (!isWhole) continue;
    expect([calls, steps > 5]).toEqual([1, true]);
    return;
  }
  throw new Error(`A line takes more than ${MOST_STEPS} steps.`);
});

test('an answer that was lost after it was booked is asked for again, and not booked again', async () => {
  const [redis] = bench.clients;
  const line = await begin();
  await line.attempt(redis);
  // The shard was recorded meanwhile, which forgets its answers.
  await redis.del(await redis.keys(`ub:batch:{${line.spec.batchId}}:answers:*`));
  await line.attempt(redis);
  expect(await line.outcome()).toEqual({ spentTokens: TOKENS, reservedTokens: 0, status: 200 });
  expect(calls).toBe(2);
});

test('a call that the provider refuses is the answer, and costs nothing', async () => {
  status = 400;
  try {
    const line = await begin();
    await line.attempt(bench.clients[0]);
    await line.attempt(bench.clients[0]);
    expect(await line.outcome()).toEqual({ spentTokens: 0, reservedTokens: 0, status: 400 });
    expect(calls).toBe(1);
  } finally {
    status = 200;
  }
});
