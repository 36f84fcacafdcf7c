import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  ask,
  balanceOf,
  bill,
  charge,
  type LedgerBench,
  ledgerOn,
  more,
  newOwner,
  startLedgerBench,
} from './ledger-bench.ts';

let bench: LedgerBench;
beforeAll(async () => {
  bench = await startLedgerBench();
});
afterAll(() => bench?.stop());

describe('names that callers choose', () => {
  test.each([
    '\ud800',
    '\udfff',
    'a\ud83d',
    '"',
    '\\',
    "'",
    '\u0000',
    '\n',
    '{}',
    '%',
    '東京 🎉',
    ' ',
    '__proto__',
  ])('cannot keep a reservation open: %j', async (name) => {
    const owner = newOwner({ tenant: `t-${name}-${newOwner().tenant}`, user: name, team: name, keyId: name });
    const on = ledgerOn(bench.clients[0], [{ window: 'day', amount: 1_000 }]);
    const called = { provider: name, model: name };
    expect(await on.ledger.reserve(ask(owner, 'g', { input: 10, max: 50 }))).toMatchObject({ granted: true });
    const charges = [{ ...charge(1, 7), ...called }];
    expect(await on.ledger.extend(more(owner, 'g', { charges }))).toMatchObject({ granted: true });
    await on.ledger.settle({ ...bill(owner, 'g', 12), ...called, attempt: 2 });
    expect(await balanceOf(on, owner)).toMatchObject({ spentTokens: 12, reservedTokens: 0 });
    expect(await on.accounts.audit(owner.tenant, { repair: false })).toMatchObject({
      differences: 0,
      listed: [],
    });
  });
});
