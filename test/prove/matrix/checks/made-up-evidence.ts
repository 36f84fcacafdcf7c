/** One made-up generation with its log, its readings and its run, for the tests of the checks. */
import type { EventBody, GenerationEvent } from '../../../../contracts/events.ts';
import { NO_USAGE } from '../../../../contracts/money.ts';
import type { Accepted } from '../accepted.ts';
import type { GenerationEvidence } from '../evidence.ts';
import type { Reading } from '../notebook.ts';
import { type PlannedRequest, planRequests } from '../plan.ts';

export const MODEL = { provider: 'simulated', model: 'sim-large' };
export const USAGE = { ...NO_USAGE, inputTokens: 10, outputTokens: 2 };
export const START: EventBody = { type: 'generation-start', generationId: 'g', route: 'default', user: 'u' };
export const CALL: EventBody = { type: 'provider-start', ...MODEL, attempt: 1, strategy: 'start' };
export const text = (delta: string): EventBody => ({ type: 'text-delta', text: delta });
export const RESET: EventBody = { type: 'text-reset', reason: '' };
export const end = (more: object = {}): EventBody => ({
  type: 'generation-end',
  ...MODEL,
  finishReason: 'stop',
  attempts: 1,
  cached: false,
  usage: USAGE,
  costMicroUsd: 1,
  ...more,
});
export const failed = (code: string, usage = NO_USAGE): EventBody =>
  ({
    type: 'provider-error',
    ...MODEL,
    attempt: 1,
    code,
    message: '',
    resumable: false,
    usage,
    costMicroUsd: 0,
  }) as EventBody;

export function numbered(...bodies: EventBody[]): GenerationEvent[] {
  return bodies.map((body, seq) => ({ ...body, seq, at: 1_000 + seq }));
}

export const WHOLE = numbered(START, CALL, text('a '), text('b'), end());

export function readingOf(events: readonly GenerationEvent[]): Reading {
  return { reader: 'r', generationId: 'g', wire: 'native', events, refused: null };
}

type Changes = Partial<Omit<GenerationEvidence, 'accepted'>> &
  Partial<Omit<Accepted, 'plan'>> &
  Partial<Pick<PlannedRequest, 'tenant' | 'user' | 'mark' | 'body'>>;

export function evidence(changes: Changes = {}): GenerationEvidence {
  const { tenant = 'acme', user = 'ann', mark = 'request-1;', body = {}, ...more } = changes;
  const { log = WHOLE, readings = [readingOf(WHOLE)], run = 'COMPLETED', remains = '', ...rest } = more;
  const { expected = { text: 'a b', reasoning: '', toolCalls: [], tokens: 2 }, ...accepted } = rest;
  const plan = { ...planRequests(1, 1)[0], tenant, user, mark, body } as PlannedRequest;
  return {
    accepted: {
      plan,
      id: 'g',
      acceptedAtMs: 0,
      messages: [],
      readers: ['r'],
      cancelledAtMs: null,
      deletedAtMs: null,
      expiredLog: null,
      ...accepted,
    },
    log,
    readings,
    run,
    remains,
    expected,
  };
}
