/** Each check is shown what it must not let pass. */
import { describe, expect, test } from '@jest/globals';
import type { EventBody, GenerationEvent } from '../../../../contracts/events.ts';
import { NO_USAGE } from '../../../../contracts/money.ts';
import type { Evidence, GenerationEvidence, LedgerEntry } from '../evidence.ts';
import { planRequest, secretOf, TENANTS, type Tenant } from '../plan.ts';
import { checkBill } from './check-bill.ts';
import { checkAttempts, checkEnded, checkRuns } from './check-ended.ts';
import { checkProcesses } from './check-processes.ts';
import { checkSequence } from './check-sequence.ts';
import { checkCache, checkFollowed, checkSecrets } from './check-tenants.ts';
import { checkText } from './check-text.ts';

const MODEL = { provider: 'simulated', model: 'sim-large' };
const USAGE = { ...NO_USAGE, inputTokens: 10, outputTokens: 2 };
const START: EventBody = { type: 'generation-start', generationId: 'g', route: 'default', user: 'u' };
const CALL: EventBody = { type: 'provider-start', ...MODEL, attempt: 1, strategy: 'start' };
const text = (said: string): EventBody => ({ type: 'text-delta', text: said });
const RESET: EventBody = { type: 'text-reset', reason: '' };
const end = (more: object = {}): EventBody => ({
  ...{ type: 'generation-end', ...MODEL, finishReason: 'stop', attempts: 1, cached: false },
  ...{ usage: USAGE, costMicroUsd: 1, ...more },
});
const failed = (code: string, usage = NO_USAGE): EventBody =>
  ({
    ...{ type: 'provider-error', ...MODEL, attempt: 1, code, message: '', resumable: false },
    ...{ usage, costMicroUsd: 0 },
  }) as EventBody;

function numbered(...bodies: EventBody[]): GenerationEvent[] {
  return bodies.map((body, seq) => ({ ...body, seq, at: 1_000 + seq }));
}

const WHOLE = numbered(START, CALL, text('a '), text('b'), end());

function readingOf(events: readonly GenerationEvent[]) {
  return { reader: 'r', generationId: 'g', events, refused: null };
}

function evidence(
  more: Partial<GenerationEvidence> & { tenant?: Tenant; mark?: string } = {},
): GenerationEvidence {
  const { tenant = 'acme', mark = 'request-1;', ...rest } = more;
  const plan = { ...planRequest(1, 1), tenant, mark };
  return {
    accepted: { plan, id: 'g', acceptedAtMs: 0 },
    ...{ log: WHOLE, readings: [readingOf(WHOLE)], run: 'COMPLETED', expected: { text: 'a b', tokens: 2 } },
    ...rest,
  };
}

const wrongs = (found: readonly { wrong: string }[]) => found.map(({ wrong }) => wrong);

describe('the check of numbers', () => {
  test('passes a whole reading, also a coalesced one', () => {
    const merged = WHOLE.flatMap((event) =>
      event.seq === 2 ? [] : event.seq === 3 ? [{ ...event, from: 2 }] : [event],
    );
    expect(checkSequence(readingOf(WHOLE))).toEqual([]);
    expect(checkSequence(readingOf(merged))).toEqual([]);
  });
  test.each<[string, GenerationEvent[], string]>([
    ['a gap', WHOLE.filter(({ seq }) => seq !== 2), 'lost'],
    [
      'an event that came twice',
      WHOLE.flatMap((event) => (event.seq === 2 ? [event, event] : [event])),
      'duplicated',
    ],
    ['no end', WHOLE.slice(0, -1), 'lost'],
    ['two ends', [...WHOLE, { ...end(), seq: 5, at: 1 }], 'duplicated'],
    ['an event after the end', [...WHOLE, { ...text('c'), seq: 5, at: 1 }], 'duplicated'],
    ['nothing', [], 'lost'],
  ])('finds %s', (_, events, wrong) => {
    expect(wrongs(checkSequence(readingOf(events)))).toContain(wrong);
  });
  test('finds a reader that was refused', () => {
    expect(wrongs(checkSequence({ ...readingOf(WHOLE), refused: '400' }))).toEqual(['lost']);
  });
});

describe('the check of text', () => {
  test('passes the whole text, a beginning of it where the answer is cut, and what comes after a reset', () => {
    expect(checkText(evidence())).toEqual([]);
    const cut = numbered(START, text('a '), end({ finishReason: 'length' }));
    expect(checkText(evidence({ log: cut, readings: [] }))).toEqual([]);
    const anew = numbered(START, text('x'), RESET, text('a b'), end());
    expect(checkText(evidence({ log: anew, readings: [] }))).toEqual([]);
  });
  test.each<[string, EventBody[], string]>([
    ['a missing token', [text('b'), end()], 'lost'],
    ['a missing end of the text', [text('a '), end()], 'lost'],
    ['a token twice', [text('a '), text('a '), text('b'), end()], 'duplicated'],
    ['two texts that were mixed', [text('x'), text('a b'), end()], 'duplicated'],
    ['another text in a cancelled answer', [text('b'), end({ finishReason: 'length' })], 'duplicated'],
  ])('finds %s, at a reader as in the log', (_, bodies, wrong) => {
    const events = numbered(START, ...bodies);
    expect(wrongs(checkText(evidence({ readings: [readingOf(events)] })))).toEqual([wrong]);
    expect(wrongs(checkText(evidence({ log: events, readings: [] })))).toEqual([wrong]);
  });
});

describe('the check of ends', () => {
  test('finds a log without an end, a run that is open, and one that nobody knows', () => {
    expect(checkEnded(evidence())).toEqual([]);
    expect(wrongs(checkEnded(evidence({ log: WHOLE.slice(0, -1) })))).toEqual(['lost']);
    expect(wrongs(checkEnded(evidence({ run: 'RUNNING' })))).toEqual(['stuck']);
    expect(wrongs(checkRuns({ openRuns: ['acme/g'] }))).toEqual(['stuck']);
  });
  test('finds attempts without a bound', () => {
    const errors = Array.from({ length: 4 }, () => failed('provider_stream_cut'));
    expect(checkAttempts(evidence(), 3)).toEqual([]);
    expect(wrongs(checkAttempts(evidence({ log: numbered(START, ...errors) }), 3))).toEqual(['stuck']);
    const calls = Array.from({ length: 10 }, () => CALL);
    expect(wrongs(checkAttempts(evidence({ log: numbered(START, ...calls) }), 3))).toEqual(['stuck']);
  });
});

describe('the check of the bill', () => {
  const call = { id: 'c1', wire: 'openai', apiKey: '', prompt: 'Story request-1;', inputTokens: 10, made: 2 };
  const entry: LedgerEntry = {
    ...{ tenant: 'acme', generation: 'g', kind: 'debit', attempt: 1, spentTokens: 12, isEstimated: false },
  };
  const judged = (more: Partial<Evidence>) =>
    checkBill({ generations: [evidence()], bill: [call], ledger: [entry], openRuns: [], ...more });

  test('passes a bill that was booked, and counts an estimate apart', () => {
    expect(judged({})).toMatchObject({ findings: [], exact: { billed: 12, booked: 12 } });
    const usage = { ...USAGE, outputTokens: 3, estimated: true };
    const log = numbered(START, CALL, failed('attempt_interrupted', usage), end({ usage }));
    const estimated = [{ ...entry, spentTokens: 13, isEstimated: true }];
    const verdict = judged({ generations: [evidence({ log })], ledger: estimated });
    expect(verdict).toMatchObject({ findings: [], orphaned: { requests: 1, billed: 12, booked: 13 } });
  });
  test.each<[string, Partial<Evidence>]>([
    ['a call that no attempt made', { bill: [call, { ...call, id: 'c2' }] }],
    ['tokens that were not booked', { bill: [{ ...call, made: 5 }] }],
    ['an attempt that was booked twice', { ledger: [entry, entry] }],
    ['a generation that was not booked', { ledger: [] }],
  ])('finds %s', (_, more) => {
    expect(wrongs(judged(more).findings)).toContain('paid_twice');
  });
});

describe('the check of processes', () => {
  test('finds one that ended though nobody ended it, with its last words', () => {
    expect(checkProcesses([])).toEqual([]);
    const log = Array.from({ length: 100 }, (_, line) => `line ${line}`).join('\n');
    const found = checkProcesses([{ name: 'worker 1', log }]);
    expect(wrongs(found)).toEqual(['ended_by_itself']);
    expect(found[0]?.detail).toContain('worker 1');
    expect(found[0]?.detail).toContain('line 99');
    expect(found[0]?.detail).not.toContain('line 50');
  });
});

describe('the check of tenants', () => {
  const hit: EventBody = { type: 'cache-hit', ...MODEL, similarity: 1, ageMs: 1 };
  const cached = numbered(START, START, START, START, START, hit, text('a b'), end({ cached: true }));

  test('finds a cached answer that only another tenant made', () => {
    const reader = evidence({ tenant: 'acme', mark: 'shared-1;', log: cached });
    const maker = (tenant: Tenant) => evidence({ tenant, mark: 'shared-1;' });
    expect(checkCache([reader, maker('acme')])).toEqual([]);
    expect(wrongs(checkCache([reader, maker('globex')]))).toEqual(['cross_tenant']);
    expect(wrongs(checkCache([reader, evidence({ tenant: 'acme' })]))).toEqual(['cross_tenant']);
  });
  test('finds one that followed the answer of another tenant, of another question, or of nobody', () => {
    const join: EventBody = { type: 'cache-join', leader: 'leader', similarity: 1 };
    const follower = evidence({ log: numbered(START, join, text('a b'), end()) });
    const leader = (tenant: Tenant, mark: string) => {
      const one = evidence({ tenant, mark });
      return { ...one, accepted: { ...one.accepted, id: 'leader' } };
    };
    expect(checkFollowed([follower, leader('acme', 'request-1;')])).toEqual([]);
    for (const others of [[leader('globex', 'request-1;')], [leader('acme', 'request-2;')], []])
      expect(wrongs(checkFollowed([follower, ...others]))).toEqual(['cross_tenant']);
  });
  test('finds a key or a prompt of another tenant in what a tenant saw', () => {
    const secrets = Object.fromEntries(TENANTS.map((tenant) => [tenant, [secretOf(1, tenant)]])) as Record<
      Tenant,
      string[]
    >;
    const seen = (owner: Tenant) => [{ tenant: 'acme' as const, what: `... ${secretOf(1, owner)} ...` }];
    expect(checkSecrets(seen('acme'), secrets)).toEqual([]);
    expect(wrongs(checkSecrets(seen('globex'), secrets))).toEqual(['cross_tenant']);
  });
});
