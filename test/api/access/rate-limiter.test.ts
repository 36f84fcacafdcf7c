import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createRateLimiter } from '../../../api/access/rate-limiter.ts';
import { startTestRedis, type TestRedis } from '../../engine/streaming/redis-server.ts';
import { waitFor } from '../../harness/wait-for.ts';

let server: TestRedis;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server?.stop());

const limiter = async (requestsPerMinute: number | null) =>
  createRateLimiter(await server.connect(), { requestsPerMinute });
const isAdmitted = (rate: Awaited<ReturnType<typeof limiter>>, keyId: string) =>
  rate.admit(keyId).then(
    () => true,
    () => false,
  );

test('one process never admits more than the limit, however many requests arrive at once', async () => {
  const rate = await limiter(20);
  const admitted = await Promise.all(Array.from({ length: 200 }, () => isAdmitted(rate, 'burst')));
  expect(admitted.filter(Boolean)).toHaveLength(20);
  await expect(rate.admit('burst')).rejects.toMatchObject({ code: 'rate_limited' });
});

test('a refusal says when to retry', async () => {
  const rate = await limiter(1);
  await rate.admit('later');
  const refusal: { retryAfterMs?: number } = await rate.admit('later').catch((error) => error);
  expect(refusal.retryAfterMs).toBeGreaterThan(0);
  expect(refusal.retryAfterMs).toBeLessThanOrEqual(60_000);
});

test('requests that one process admits count at the others', async () => {
  const [first, second] = [await limiter(30), await limiter(30)];
  for (let count = 0; count < 30; count += 1) await first.admit('shared');
  // The second process learns of it from its own first request to Redis.
  let extra = 0;
  await waitFor('the refusal', async () => {
    const admitted = await isAdmitted(second, 'shared');
    if (admitted) extra += 1;
    return !admitted;
  });
  expect(extra).toBeLessThan(5);
});

test('each key has its own limit', async () => {
  const rate = await limiter(1);
  await rate.admit('mine');
  await expect(rate.admit('yours')).resolves.toBeUndefined();
});

test('an unreachable Redis neither refuses nor delays a request', async () => {
  const lost = await server.connect();
  const rate = createRateLimiter(lost, { requestsPerMinute: 5 });
  lost.destroy();
  for (let count = 0; count < 5; count += 1) await rate.admit('lost');
  await expect(rate.admit('lost')).rejects.toMatchObject({ code: 'rate_limited' });
});

test('without a limit every request is admitted', async () => {
  const rate = await limiter(null);
  for (let count = 0; count < 1_000; count += 1) await rate.admit('free');
});
