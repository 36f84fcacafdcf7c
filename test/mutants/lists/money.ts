/** Bugs of what is booked, reserved and shared. */
import type { Mutant } from '../mutant.ts';

const LEDGER = 'test/budget/redis-budget-ledger.test.ts';

export const MONEY_MUTANTS: readonly Mutant[] = [
  {
    name: 'settle-not-idempotent',
    breaks: 'A settlement that is repeated after a crash books the same generation again.',
    file: 'budget/step-script.ts',
    find: "  if state == 'settled' then return answer({answer = 'settled', warnings = kept[10]",
    replace: "  if false then return answer({answer = 'settled', warnings = kept[10]",
    caughtBy: { tests: [LEDGER] },
  },
  {
    name: 'attempt-charged-twice',
    breaks: 'An attempt that has ended is booked again with every later attempt.',
    file: 'budget/step-script.ts',
    find: 'if one.attempt > booked then',
    replace: 'if one.attempt > 0 then',
    caughtBy: { tests: [LEDGER] },
  },
  {
    name: 'extension-without-room',
    breaks: 'A retry is made though the budget has no room for it.',
    file: 'budget/step-script.ts',
    find: 'local grants = output >= math.min(ask.least, wish)',
    replace: 'local grants = true',
    caughtBy: { tests: [LEDGER] },
  },
  {
    name: 'share-lost-in-rounding',
    breaks: 'The parts of a shared cost are less than the whole.',
    file: 'contracts/share.ts',
    find: 'const rest = (whole: number) => whole - each(whole) * (by - 1);',
    replace: 'const rest = (whole: number) => each(whole);',
    caughtBy: { tests: ['test/cache/share.test.ts'] },
  },
  {
    name: 'abandoned-call-booked-at-0',
    breaks: 'What a provider made for a process that died is booked to nobody.',
    file: 'activities/account-attempt.ts',
    find: 'const usage = reported ??',
    replace: 'const usage = reported ?? NO_USAGE ??',
    caughtBy: { simulation: 20_000 },
  },
];
