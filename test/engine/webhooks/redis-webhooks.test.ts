/** Webhooks in a real Redis: whose they are, and that a delivery is prepared once. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { deliverWebhook, giveUpWebhook } from '../../../activities/deliver-webhook.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { RedisWebhookDeliveries } from '../../../engine/webhooks/redis-deliveries.ts';
import { RedisWebhookEndpoints } from '../../../engine/webhooks/redis-endpoints.ts';
import type { Notice } from '../../../engine/webhooks/webhooks.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { WebhookError } from '../../../platform/signed-webhook.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';

let server: TestRedis;
let redis: RedisConnection;
let endpoints: RedisWebhookEndpoints;
let deliveries: RedisWebhookDeliveries;
beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
  endpoints = new RedisWebhookEndpoints(redis);
  deliveries = new RedisWebhookDeliveries(redis, endpoints);
});
afterAll(() => server?.stop());

const URL_TOKEN = 'token-in-the-url';
const ENDPOINT = {
  name: 'orders',
  url: `https://example.com/hook?t=${URL_TOKEN}`,
  event_types: ['response.completed' as const],
};
const failed = (what: string): never => {
  throw new Error(what);
};
let tenants = 0;
const newTenant = () => {
  tenants += 1;
  return `tenant-${tenants}`;
};
const create = async (tenant: string, more = {}) =>
  (await endpoints.create(tenant, { ...ENDPOINT, ...more })) ?? failed('full');
let keys = 0;
const noticeOf = (tenant: string, more: Partial<Notice> = {}): Notice => {
  keys += 1;
  return {
    tenant,
    user: 'ann',
    key: `gen_${keys}`,
    type: 'response.completed',
    atMs: 1_700_000_000_999,
    data: { id: 'resp_1' },
    ...more,
  };
};

describe('an endpoint', () => {
  test('is shown without its secret, changed, and deleted', async () => {
    const tenant = newTenant();
    const { endpoint, secret } = await create(tenant);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(await endpoints.list(tenant)).toEqual([endpoint]);
    expect(JSON.stringify(endpoint)).not.toContain(secret.slice(6));
    expect(await endpoints.update(tenant, endpoint.id, { name: 'new' })).toMatchObject({
      name: 'new',
      url: ENDPOINT.url,
    });
    expect(await endpoints.remove(tenant, endpoint.id)).toBe(true);
    expect(await endpoints.remove(tenant, endpoint.id)).toBe(false);
    expect(await endpoints.get(tenant, endpoint.id)).toBeNull();
    expect(await endpoints.update(tenant, endpoint.id, { name: 'again' })).toBeNull();
  });

  test('does not exist for another tenant', async () => {
    const [tenant, other] = [newTenant(), newTenant()];
    const { endpoint } = await create(tenant);
    expect(await endpoints.get(other, endpoint.id)).toBeNull();
    expect(await endpoints.target(other, endpoint.id)).toBeNull();
    expect(await endpoints.rotate(other, endpoint.id, 0)).toBeNull();
    expect(await endpoints.remove(other, endpoint.id)).toBe(false);
    expect(await endpoints.list(other)).toEqual([]);
  });

  test('after a rotation signs with both secrets, if it says so', async () => {
    const tenant = newTenant();
    const { endpoint, secret } = await create(tenant);
    const second = (await endpoints.rotate(tenant, endpoint.id, 60_000)) ?? failed('gone');
    expect(await endpoints.target(tenant, endpoint.id)).toEqual({
      url: ENDPOINT.url,
      secret: second.secret,
      previousSecret: secret,
    });
    const third = (await endpoints.rotate(tenant, endpoint.id, 0)) ?? failed('gone');
    expect(await endpoints.target(tenant, endpoint.id)).toEqual({ url: ENDPOINT.url, secret: third.secret });
  });

  test('concurrent changes are all kept', async () => {
    const tenant = newTenant();
    const { endpoint } = await create(tenant);
    const url = 'https://example.com/other';
    await Promise.all([
      endpoints.update(tenant, endpoint.id, { name: 'new' }),
      endpoints.update(tenant, endpoint.id, { url }),
    ]);
    expect(await endpoints.get(tenant, endpoint.id)).toMatchObject({ name: 'new', url });
  });

  test('of a tenant that has the most is refused', async () => {
    const tenant = newTenant();
    for (let count = 0; count < LIMITS.webhooksPerTenant; count += 1) await create(tenant);
    expect(await endpoints.create(tenant, ENDPOINT)).toBeNull();
  });

  test('neither its secret nor its address is readable in Redis', async () => {
    const tenant = newTenant();
    const { secret } = await create(tenant);
    await endpoints.seal(tenant, { url: ENDPOINT.url, secret });
    const dump: string[] = [];
    for (const key of await redis.keys(`*${tenant}*`)) dump.push(JSON.stringify(await redis.hGetAll(key)));
    expect(dump).not.toEqual([]);
    expect(dump.join()).not.toContain(URL_TOKEN);
    expect(dump.join()).not.toContain(secret.slice(6));
  });
});

describe('a delivery', () => {
  test('is prepared once for each endpoint of its type, however often', async () => {
    const tenant = newTenant();
    await create(tenant);
    await create(tenant, { event_types: ['response.failed'] });
    const notice = noticeOf(tenant);
    const [first, ...others] = await deliveries.prepare(notice);
    expect(others).toEqual([]);
    expect(await deliveries.prepare({ ...notice, atMs: 1 })).toEqual([first]);
    expect((await deliveries.list(tenant, { after: 0, limit: 10 })).data).toHaveLength(1);
    expect(await deliveries.read(tenant, first?.deliveryId ?? '')).toMatchObject({
      target: { url: ENDPOINT.url },
      event: {
        object: 'event',
        type: 'response.completed',
        created_at: 1_700_000_000,
        data: { id: 'resp_1' },
      },
    });
    expect(await deliveries.prepare(noticeOf(newTenant()))).toEqual([]);
  });

  test('of one request goes to its address, signed with its secret or that of the tenant', async () => {
    const tenant = newTenant();
    const url = 'https://example.com/mine';
    expect(await endpoints.seal(tenant, { url })).toBeUndefined();
    const own = await endpoints.rotateOwnSecret(tenant, 0);
    const sealed = (await endpoints.seal(tenant, { url })) ?? failed('no secret');
    const [delivery] = await deliveries.prepare(noticeOf(tenant, { webhook: { sealed } }));
    expect((await deliveries.read(tenant, delivery?.deliveryId ?? ''))?.target).toEqual({ url, secret: own });
    const next = await endpoints.rotateOwnSecret(tenant, 60_000);
    expect((await deliveries.read(tenant, delivery?.deliveryId ?? ''))?.target).toEqual({
      url,
      secret: next,
      previousSecret: own,
    });
    expect(await endpoints.list(tenant)).toEqual([]);
    const wanted = { events: ['response.failed' as const], sealed };
    expect(await deliveries.prepare(noticeOf(tenant, { webhook: wanted }))).toEqual([]);
    expect(await deliveries.prepare(noticeOf(newTenant(), { webhook: { sealed } }))).toHaveLength(1);
  });

  test("sealed for one tenant is no other tenant's", async () => {
    const [tenant, other] = [newTenant(), newTenant()];
    await endpoints.rotateOwnSecret(tenant, 0);
    await endpoints.rotateOwnSecret(other, 0);
    const sealed = (await endpoints.seal(tenant, { url: ENDPOINT.url })) ?? failed('no secret');
    const [delivery] = await deliveries.prepare(noticeOf(other, { webhook: { sealed } }));
    expect(await deliveries.read(other, delivery?.deliveryId ?? '')).toBeNull();
  });

  test('has each attempt on record, and its end', async () => {
    const tenant = newTenant();
    await create(tenant);
    const [delivery] = await deliveries.prepare(noticeOf(tenant));
    if (delivery === undefined) return failed('nothing prepared');
    const answers: (number | Error)[] = [new WebhookError('The webhook answered 500.', 500), 204];
    const webhooks = deliveries;
    const sendWebhook = async () => {
      const answer = answers.shift() ?? failed('no more');
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const deliver = deliverWebhook({ webhooks, sendWebhook });
    await expect(deliver(delivery)).rejects.toMatchObject({ nonRetryable: false });
    expect(await deliveries.view(tenant, delivery.deliveryId)).toMatchObject({
      status: 'pending',
      attempts: 1,
    });
    await deliver(delivery);
    await giveUpWebhook({ webhooks })(delivery);
    expect(await deliveries.view(tenant, delivery.deliveryId)).toMatchObject({
      status: 'delivered',
      attempts: 2,
      latest: [
        { statusCode: 500, error: 'The webhook answered 500.' },
        { statusCode: 204, error: null },
      ],
    });
  });

  // https://github.com/eventrelay/eventrelay/issues/91
  test.each([
    ['longer than usual', 120_000, 120_000],
    ['less than usual', 500, 2_000],
    ['longer than an hour', 999_999_000, 3_600_000],
    ['nothing', null, undefined],
  ])('waits as its receiver asks, who asks for %s', async (_, retryAfterMs, nextRetryDelay) => {
    const tenant = newTenant();
    await create(tenant);
    const [delivery] = await deliveries.prepare(noticeOf(tenant));
    if (delivery === undefined) return failed('nothing prepared');
    const busy = async () => {
      throw new WebhookError('The webhook answered 429.', 429, retryAfterMs);
    };
    const deliver = deliverWebhook({ webhooks: deliveries, sendWebhook: busy });
    await expect(deliver(delivery)).rejects.toMatchObject({ nonRetryable: false, nextRetryDelay });
    if (retryAfterMs !== 500) return;
    // The usual delay grows with each attempt.
    await expect(deliver(delivery)).rejects.toMatchObject({ nextRetryDelay: 6_000 });
  });

  test('to a receiver that is gone, or whose endpoint was deleted, ends', async () => {
    const tenant = newTenant();
    const { endpoint } = await create(tenant);
    const [delivery] = await deliveries.prepare(noticeOf(tenant));
    if (delivery === undefined) return failed('nothing prepared');
    const gone = async () => {
      throw new WebhookError('The webhook answered 410.', 410);
    };
    const deliver = deliverWebhook({ webhooks: deliveries, sendWebhook: gone });
    await expect(deliver(delivery)).rejects.toMatchObject({ nonRetryable: true });
    await giveUpWebhook({ webhooks: deliveries })(delivery);
    expect(await deliveries.view(tenant, delivery.deliveryId)).toMatchObject({ status: 'failed' });
    await endpoints.remove(tenant, endpoint.id);
    await expect(deliver(delivery)).rejects.toMatchObject({ nonRetryable: true });
  });

  test('lists have pages, the newest first', async () => {
    const tenant = newTenant();
    await create(tenant);
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      for (const { deliveryId } of await deliveries.prepare(noticeOf(tenant))) ids.push(deliveryId);
    }
    const first = await deliveries.list(tenant, { after: 0, limit: 3 });
    const second = await deliveries.list(tenant, { after: first.next ?? 0, limit: 3 });
    expect(second.next).toBeNull();
    expect([...first.data, ...second.data].map(({ id }) => id).sort()).toEqual(ids.toSorted());
  });
});
