/** Each check is shown what it must not let pass. */
import { describe, expect, test } from '@jest/globals';
import type { EventBody, GenerationEvent } from '../../../../contracts/events.ts';
import type { Evidence, LedgerEntry } from '../evidence.ts';
import type { Reading } from '../notebook.ts';
import { type Sharing, secretOf, TENANTS, type Tenant } from '../plan.ts';
import { checkAnswers } from './check-answers.ts';
import { checkBill } from './check-bill.ts';
import { checkAttempts, checkEnded, checkRuns } from './check-ended.ts';
import { checkFlights } from './check-flights.ts';
import { checkProcesses } from './check-processes.ts';
import { checkCancelled, checkDeleted, checkReadAfterDelete, checkReasons } from './check-promises.ts';
import { checkSequence } from './check-sequence.ts';
import { checkCache, checkFollowed, checkSecrets } from './check-tenants.ts';
import { checkText } from './check-text.ts';
import {
  CALL,
  end,
  evidence,
  failed,
  MODEL,
  numbered,
  RESET,
  readingOf,
  START,
  text,
  USAGE,
  WHOLE,
} from './made-up-evidence.ts';

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
  test('lets a reader of a deleted generation be refused, and still finds a gap in what it had', () => {
    const had = { ...readingOf(WHOLE.slice(0, 3)), refused: '404' };
    expect(checkSequence(had, { isDeleted: true })).toEqual([]);
    expect(wrongs(checkSequence({ ...had, refused: null }, { isDeleted: true }))).toEqual(['lost']);
    const gap = had.events.filter(({ seq }) => seq !== 1);
    expect(wrongs(checkSequence({ ...had, events: gap }, { isDeleted: true }))).toEqual(['lost']);
  });
});

describe('the check of text', () => {
  test('passes the whole text, a beginning of it where the answer is cut, and what comes after a reset', () => {
    expect(checkText(evidence())).toEqual([]);
    const cut = numbered(START, text('a '), end({ finishReason: 'length' }));
    expect(checkText(evidence({ log: cut, readings: [] }))).toEqual([]);
    const restarted = numbered(START, text('x'), RESET, text('a b'), end());
    expect(checkText(evidence({ log: restarted, readings: [] }))).toEqual([]);
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
    expect(wrongs(checkEnded(evidence({ log: WHOLE.slice(0, -1) })))).toEqual(['unended']);
    expect(checkEnded(evidence({ log: [], deletedAtMs: 1 }))).toEqual([]);
    expect(checkEnded(evidence({ log: [], deletedAtMs: 1, run: 'none' }))).toEqual([]);
    expect(wrongs(checkEnded(evidence({ log: [], deletedAtMs: 1, run: 'RUNNING' })))).toEqual(['stuck']);
    expect(wrongs(checkEnded(evidence({ run: 'none' })))).toEqual(['stuck']);
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

const BOOKS = { openRuns: [], cached: [] };

describe('the check of the bill', () => {
  const call = { id: 'c1', wire: 'openai', apiKey: '', prompt: 'Story request-1;', inputTokens: 10, made: 2 };
  const entry: LedgerEntry = {
    tenant: 'acme',
    generation: 'g',
    kind: 'debit',
    attempt: 1,
    spentTokens: 12,
    isEstimated: false,
  };
  const judged = (more: Partial<Evidence>) =>
    checkBill({ ...BOOKS, generations: [evidence()], bill: [call], ledger: [entry], ...more });

  test('passes a bill that was booked, and counts an estimate apart', () => {
    expect(judged({})).toMatchObject({ findings: [], exact: { billed: 12, booked: 12 } });
    const usage = { ...USAGE, outputTokens: 3, estimated: true };
    const log = numbered(START, CALL, failed('attempt_interrupted', usage), end({ usage }));
    const estimated = [{ ...entry, spentTokens: 13, isEstimated: true }];
    const verdict = judged({ generations: [evidence({ log })], ledger: estimated });
    expect(verdict).toMatchObject({ findings: [], orphaned: { requests: 1, billed: 12, booked: 13 } });
  });
  test.each<[string, Partial<Evidence>, string]>([
    ['a call that no attempt made', { bill: [call, { ...call, id: 'c2' }] }, 'paid_twice'],
    ['tokens that were not booked', { bill: [{ ...call, made: 5 }] }, 'unpaid'],
    ['an attempt that was booked twice', { ledger: [entry, entry] }, 'paid_twice'],
    ['a generation that was not booked', { ledger: [] }, 'unpaid'],
  ])('finds %s', (_, more, wrong) => {
    expect(wrongs(judged(more).findings)).toContain(wrong);
  });
  test('adds up the two lives of one id, and asks for no record of one that was deleted', () => {
    const two = [evidence(), evidence()];
    const bill = [call, { ...call, id: 'c2' }];
    expect(judged({ generations: two, bill, ledger: [entry, entry] }).findings).toEqual([]);
    expect(wrongs(judged({ generations: two, bill }).findings)).toContain('unpaid');
    expect(judged({ generations: [evidence({ log: [], deletedAtMs: 1 })] }).findings).toEqual([]);
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
    expect(checkCache([reader, maker('acme')], 'tenant')).toEqual([]);
    expect(wrongs(checkCache([reader, maker('globex')], 'tenant'))).toEqual(['cross_tenant']);
    expect(wrongs(checkCache([reader, evidence({ tenant: 'acme' })], 'tenant'))).toEqual(['cross_tenant']);
  });
  test('finds one that followed the answer of another tenant, of another question, or of nobody', () => {
    const join: EventBody = { type: 'cache-join', leader: 'leader', similarity: 1 };
    const follower = evidence({ log: numbered(START, join, text('a b'), end()) });
    const leader = (tenant: Tenant, mark: string) => {
      const generation = evidence({ tenant, mark });
      return { ...generation, accepted: { ...generation.accepted, id: 'leader' } };
    };
    expect(checkFollowed([follower, leader('acme', 'request-1;')], 'tenant')).toEqual([]);
    for (const others of [[leader('globex', 'request-1;')], [leader('acme', 'request-2;')], []])
      expect(wrongs(checkFollowed([follower, ...others], 'tenant'))).toEqual(['cross_tenant']);
  });
  test.each<[Sharing, string[]]>([
    ['tenant', []],
    ['user', ['cross_user']],
  ])('where answers are shared by %s, finds what came of another user: %j', (sharing, expected) => {
    const mark = 'shared-1;';
    const maker = evidence({ id: 'leader', user: 'bob', mark });
    const join: EventBody = { type: 'cache-join', leader: 'leader', similarity: 1 };
    const follower = evidence({ mark, log: numbered(START, join, text('a b'), end()) });
    expect(wrongs(checkCache([evidence({ mark, log: cached }), maker], sharing))).toEqual(expected);
    expect(wrongs(checkFollowed([follower, maker], sharing))).toEqual(expected);
    expect(checkCache([evidence({ mark, log: cached }), evidence({ mark })], sharing)).toEqual([]);
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

describe('the check of answers', () => {
  const asksJson = { output: { name: 'order', schema: {} } };
  const expected = { text: '{"city":"Paris","n":1}', reasoning: 'so', toolCalls: [], tokens: 9 };
  const json = (...bodies: EventBody[]) => {
    const log = numbered(START, { type: 'reasoning-delta', text: 'so' }, ...bodies);
    return checkAnswers(evidence({ body: asksJson, expected, log, readings: [readingOf(log)] }));
  };
  const call = (index: number, delta: string): EventBody => ({
    type: 'tool-call-delta',
    index,
    id: `call_${index}`,
    name: 'order',
    arguments: delta,
  });
  const toolCalls = [
    { name: 'order', arguments: '{"city":"Paris"}' },
    { name: 'order', arguments: '{"city":"Rome"}' },
  ];
  const CALLS = end({ finishReason: 'tool-calls' });
  const tools = (...bodies: EventBody[]) => {
    const log = numbered(START, ...bodies);
    const truth = { text: '', reasoning: '', toolCalls, tokens: 9 };
    return checkAnswers(evidence({ expected: truth, log, readings: [readingOf(log)] }));
  };

  test('passes JSON that means the same, and a beginning of it where the answer is not whole', () => {
    expect(json(text('{"n":1, "city":"Paris"}'), end())).toEqual([]);
    expect(json(text('{"city":"Pa'), end({ finishReason: 'length' }))).toEqual([]);
  });
  test.each<[string, EventBody[]]>([
    ['half an object before a whole one', [text('{"city":"Pa'), text('{"city":"Paris","n":1}'), end()]],
    ['an object that ends early', [text('{"city":"Paris"'), end()]],
    ['another object', [text('{"city":"Paris","n":2}'), end()]],
    ['thoughts that came twice', [{ type: 'reasoning-delta', text: 'so' }, text(expected.text), end()]],
  ])('finds %s, at a reader as in the log', (_, bodies) => {
    expect(wrongs(json(...bodies))).toEqual(['garbled', 'garbled']);
  });
  test('passes calls whose pieces alternate, and those after a reset', () => {
    const whole = [call(0, '{"city":'), call(1, '{"city":'), call(0, '"Paris"}'), call(1, '"Rome"}'), CALLS];
    expect(tools(...whole)).toEqual([]);
    expect(tools(call(0, '{"ci'), RESET, ...whole)).toEqual([]);
    expect(tools(call(0, '{"ci'), end({ finishReason: 'length' }))).toEqual([]);
  });
  test.each<[string, EventBody[]]>([
    [
      'half a call before a whole one',
      [call(0, '{"ci'), call(0, '{"city":"Paris"}'), call(1, '{"city":"Rome"}'), CALLS],
    ],
    ['a missing call', [call(0, '{"city":"Paris"}'), CALLS]],
    ['other arguments', [call(0, '{"city":"Paris"}'), call(1, '{"city":"Bonn"}'), CALLS]],
    ['a call of which a piece is missing', [call(0, '{"city":"Pa"}'), call(1, '{"city":"Rome"}'), CALLS]],
  ])('finds %s, at a reader as in the log', (_, bodies) => {
    expect(wrongs(tools(...bodies))).toEqual(expect.arrayContaining(['garbled', 'garbled']));
  });
  test('finds a wrong call in the finished response of the other wire', () => {
    const finished = (city: string) => {
      const output = toolCalls.map(({ name }, index) => ({
        type: 'function_call',
        call_id: `call_${index}`,
        name,
        arguments: index === 0 ? '{"city":"Paris"}' : `{"city":"${city}"}`,
      }));
      const events = numbered(START, Object.assign({}, end(), { output }));
      const readings: Reading[] = [{ ...readingOf(events), wire: 'responses' }];
      const truth = { text: '', reasoning: '', toolCalls, tokens: 9 };
      return checkAnswers(evidence({ expected: truth, log: [], deletedAtMs: 1, readings }));
    };
    expect(finished('Rome')).toEqual([]);
    expect(wrongs(finished('Bonn'))).toEqual(['garbled']);
  });
});

describe('the check of flights', () => {
  const mark = 'flight-1;';
  const join: EventBody = { type: 'cache-join', leader: 'a', similarity: 1 };
  const expected = { text: 'a b', reasoning: '', toolCalls: [], tokens: 600 };
  const members = [
    evidence({ id: 'a', mark, expected }),
    evidence({ id: 'b', mark, expected, log: numbered(START, join, text('a b'), end()) }),
  ];
  const call = { id: 'c1', wire: 'openai', apiKey: '', prompt: `Story ${mark}`, inputTokens: 400, made: 600 };
  const entry = (generation: string, spentTokens: number, isEstimated = false): LedgerEntry => ({
    tenant: 'acme',
    generation,
    kind: 'debit',
    attempt: 1,
    spentTokens,
    isEstimated,
  });
  const judged = (ledger: LedgerEntry[], bill = [call], generations = members) =>
    wrongs(checkFlights({ generations, bill, ledger }));

  test('passes parts that add up to the bill, and an estimate that is near it', () => {
    expect(judged([entry('a', 501), entry('b', 499)])).toEqual([]);
    expect(judged([entry('a', 700, true), entry('b', 600)])).toEqual([]);
  });
  test('finds a share that nobody paid, even where an attempt was estimated', () => {
    expect(judged([entry('a', 500), entry('b', 0)])).toEqual(['unpaid']);
    expect(judged([entry('a', 150, true), entry('b', 0)])).toEqual(['unpaid']);
  });
  test('lets an estimate leave out what the provider made and nobody received', () => {
    const timeout = { type: 'generation-error', attempts: 1, usage: USAGE, costMicroUsd: 1 } as EventBody;
    const log = numbered(START, join, timeout);
    const nobody = ['a', 'b'].map((id) => evidence({ id, mark, expected, log }));
    expect(judged([entry('a', 40, true), entry('b', 0)], [call], nobody)).toEqual([]);
    expect(judged([entry('a', 40), entry('b', 0)], [call], nobody)).toEqual(['unpaid']);
  });
  test('finds a failed attempt that both leader and follower paid', () => {
    expect(judged([entry('a', 1_000), entry('b', 800)], [call, { ...call, made: 0, id: 'c2' }])).toEqual([
      'paid_twice',
    ]);
  });
  test('lets each call that never arrived be booked by an estimate, and no call twice', () => {
    const log = numbered(START, join, CALL, CALL, CALL, end());
    const called = ['a', 'b'].map((id) => evidence({ id, mark, expected, log }));
    const booked = [entry('a', 1_500, true), entry('b', 1_400, true)];
    expect(judged(booked, [call], called)).toEqual([]);
    const all = Array.from({ length: 6 }, (_, at) => ({
      ...call,
      inputTokens: 0,
      made: at === 0 ? 1_000 : 0,
    }));
    expect(judged(booked, all, called)).toEqual(['paid_twice']);
  });
  test('leaves generations that share nothing to the check of the bill', () => {
    expect(judged([], [call], [evidence({ mark })])).toEqual([]);
  });
});

describe('the check of promises', () => {
  const ended = (body: EventBody) => numbered(START, CALL, body);
  const cancel = { type: 'generation-cancel', attempts: 1, usage: USAGE, costMicroUsd: 1 } as EventBody;
  const error = (code: string) =>
    ({
      type: 'generation-error',
      attempts: 1,
      usage: USAGE,
      costMicroUsd: 1,
      error: { code, message: '', doc: '' },
    }) as EventBody;

  test('finds a cancelled generation that ended with an error, or long afterwards as an answer', () => {
    const judged = (body: EventBody, cancelledAtMs: number | null) =>
      wrongs(checkCancelled(evidence({ log: ended(body), cancelledAtMs })));
    expect(judged(cancel, 1_000)).toEqual([]);
    expect(judged(end(), 1_000)).toEqual([]);
    expect(judged(error('generation_timeout'), null)).toEqual([]);
    // It had failed before.
    expect(judged(error('generation_timeout'), 1_003)).toEqual([]);
    expect(judged(error('generation_timeout'), 1_000)).toEqual(['uncancelled']);
    expect(judged(end(), -9_000)).toEqual(['uncancelled']);
  });
  test('finds what is left of a deleted generation in Redis, in the cache, or in an answer', () => {
    const text60 = 'harbour and "sea" '.repeat(9);
    const expected = { text: text60, reasoning: '', toolCalls: [], tokens: 9 };
    const judged = (remains: string, cached: string[], deletedAtMs: number | null = 1) =>
      wrongs(checkDeleted(evidence({ remains, deletedAtMs, expected }), cached));
    expect(judged('[{"erased":"1"}]', ['{"text":"another"}'])).toEqual([]);
    expect(judged('Story request-1;', [text60], null)).toEqual([]);
    expect(judged('["Story request-1; ..."]', [])).toEqual(['undeleted']);
    expect(judged('[{"events":"text-delta"}]', [])).toEqual(['undeleted']);
    expect(judged('[]', [JSON.stringify({ text: text60 })])).toEqual(['undeleted']);
    const readAfterDelete = [{ id: 'g', what: '/v1/generations/g: 200' }];
    expect(wrongs(checkReadAfterDelete({ readAfterDelete }))).toEqual(['undeleted']);
  });
  test('finds an error that nothing here can have caused', () => {
    expect(checkReasons(evidence({ log: ended(error('generation_timeout')) }))).toEqual([]);
    for (const code of ['internal', 'log_tail_lost'])
      expect(wrongs(checkReasons(evidence({ log: ended(error(code)) })))).toEqual(['unexplained']);
  });
});
