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

test('one process never lets more through than the limit, however many come at once', async () => {
  const rate = await limiter(20);
  const admitted = await Promise.all(Array.from({ length: 200 }, () => isAdmitted(rate, 'burst')));
  expect(admitted.filter(Boolean)).toHaveLength(20);
  await expect(rate.admit('burst')).rejects.toMatchObject({ code: 'rate_limited' });
});

test('the refusal says when to come back', async () => {
  const rate = await limiter(1);
  await rate.admit('later');
  const refusal: { retryAfterMs?: number } = await rate.admit('later').catch((error) => error);
  expect(refusal.retryAfterMs).toBeGreaterThan(0);
  expect(refusal.retryAfterMs).toBeLessThanOrEqual(60_000);
});

test('what one process let through counts at the others', async () => {
  const [one, other] = [await limiter(30), await limiter(30)];
  for (let count = 0; count < 30; count += 1) await one.admit('shared');
  // The other learns of it by its own first question to Redis.
  let extra = 0;
  await waitFor('the refusal', async () => {
    const admitted = await isAdmitted(other, 'shared');
    if (admitted) extra += 1;
    return !admitted;
  });
  expect(extra).toBeLessThan(5);
});

test('keys do not use up each other’s limit', async () => {
  const rate = await limiter(1);
  await rate.admit('mine');
  await expect(rate.admit('yours')).resolves.toBeUndefined();
});

test('a Redis that is away stops nobody, and delays nobody', async () => {
  const away = await server.connect();
  const rate = createRateLimiter(away, { requestsPerMinute: 5 });
  away.destroy();
  for (let count = 0; count < 5; count += 1) await rate.admit('away');
  await expect(rate.admit('away')).rejects.toMatchObject({ code: 'rate_limited' });
});

test('without a limit everything is let through', async () => {
  const rate = await limiter(null);
  for (let count = 0; count < 1_000; count += 1) await rate.admit('free');
});
