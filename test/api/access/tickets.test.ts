import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Caller } from '../../../api/access/api-keys.ts';
import { Tickets } from '../../../api/access/tickets.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { type KeysOnRedis, startKeys } from './keys-on-redis.ts';

let keys: KeysOnRedis;
let tickets: Tickets;
let caller: Caller;
beforeAll(async () => {
  keys = await startKeys();
  tickets = new Tickets(keys.redis, keys.here);
  const { key } = await keys.here.create({ tenant: 'acme', user: 'ann', scopes: ['generate', 'operator'] });
  caller = (await keys.here.find(key)) as Caller;
});
afterAll(() => keys?.stop());

describe('a ticket', () => {
  test('opens one stream, even of several at once, and cannot manage keys', async () => {
    const { ticket, expiresAt } = await tickets.issue(caller, { reconnects: false });
    const redeemed = await Promise.all(Array.from({ length: 10 }, () => tickets.redeem(ticket)));
    const opened = redeemed.filter((opener) => opener !== null);
    expect(opened).toEqual([{ ...caller, scopes: ['generate'], onlyReads: true }]);
    expect(await tickets.redeem(ticket)).toBeNull();
    expect(expiresAt - Date.now()).toBeLessThanOrEqual(LIMITS.ticketMs);
  });

  test('for one generation names it', async () => {
    const { ticket } = await tickets.issue(caller, { generationId: 'gen_1', reconnects: false });
    expect(await tickets.redeem(ticket)).toMatchObject({ tenant: 'acme', onlyGeneration: 'gen_1' });
  });

  test('expires in Redis, used or not', async () => {
    const { ticket } = await tickets.issue(caller, { generationId: 'gen_1', reconnects: true });
    const [name = ''] = await keys.redis.keys('ub:ticket:*');
    expect(name).not.toContain(ticket);
    for (const left of await Promise.all(
      (await keys.redis.keys('ub:ticket:*')).map((key) => keys.redis.pTTL(key)),
    )) {
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(LIMITS.ticketMs);
    }
    expect(await tickets.redeem(ticket)).not.toBeNull();
  });

  test('that reconnects opens its generation repeatedly, and can be renewed only up to its limit', async () => {
    const { ticket } = await tickets.issue(caller, { generationId: 'gen_2', reconnects: true });
    for (let use = 0; use < 3; use += 1) {
      expect(await tickets.redeem(ticket)).toMatchObject({ onlyGeneration: 'gen_2' });
      await tickets.renew(ticket);
    }
    expect(await tickets.redeem(ticket)).not.toBeNull();
  });

  test('expires with the revocation of its key', async () => {
    const { key, id } = await keys.here.create({ tenant: 'acme', user: 'bob' });
    const bob = (await keys.here.find(key)) as Caller;
    const { ticket } = await tickets.issue(bob, { reconnects: false });
    await keys.here.revoke(id);
    expect(await tickets.redeem(ticket)).toBeNull();
  });

  test('for the codec opens no stream, and one for a stream decrypts nothing', async () => {
    const forCodec = await tickets.issueForCodec(caller);
    expect(await tickets.redeem(forCodec)).toBeNull();
    expect(await tickets.callerForCodec(forCodec)).toEqual(caller);
    const { ticket } = await tickets.issue(caller, { reconnects: false });
    expect(await tickets.callerForCodec(ticket)).toBeNull();
  });

  test.each(['', 'ut_', 'x'.repeat(10_000), 'ut_../../key'])(
    'with a wrong form is refused (%#)',
    async (text) => {
      expect(await tickets.redeem(text)).toBeNull();
    },
  );
});
