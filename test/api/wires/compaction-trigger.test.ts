/** A response that compacts the conversation before it: what Codex reads of it. */
import { expect, test } from '@jest/globals';
import {
  beforeTrigger,
  CompactionProjection,
} from '../../../api/wires/openai-responses/compaction-trigger.ts';
import { mapResponseCreate, responseCreateSchema } from '../../../api/wires/openai-responses/request.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { EventBody, GenerationEvent } from '../../../contracts/events.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';
import { endWith, START, texts } from '../../harness/script.ts';

const GENERATION = `gen_${'ab'.repeat(16)}`;
const config = loadConfig({ OPENAI_API_KEY: 'k' });
const TRIGGER = { type: 'compaction_trigger' };
const user = (content: string) => ({ role: 'user', content });
const bodyOf = (...input: object[]) => responseCreateSchema.parse({ model: 'openai/gpt-5.1', input });

const LOG: readonly GenerationEvent[] = [
  { type: 'generation-start', generationId: GENERATION, route: 'default', user: 'ann' } as EventBody,
  START,
  { type: 'reasoning-delta', text: 'Hm.' } as EventBody,
  ...texts('They ', 'want a lamp.'),
  endWith('length'),
].map((body, seq) => ({ ...body, seq, at: 1_767_225_600_000 + seq }));

function projection(): CompactionProjection {
  const { origin } = mapResponseCreate(config, bodyOf(user('A lamp.')), { messages: [], tools: [] });
  const input = { messages: [], maxOutputTokens: 100 };
  return new CompactionProjection({ generationId: GENERATION, metadata: {}, input, origin });
}

test('has one item, whole when it appears, and no text; its events are numbered without a gap', () => {
  const own = projection();
  own.outcome = { sealed: 'ubc1_x' };
  const frames = LOG.flatMap((event) => own.push(event));
  expect(frames.map(({ type }) => type)).toEqual([
    'response.created',
    'response.in_progress',
    'response.output_item.added',
    'response.output_item.done',
    'response.completed',
  ]);
  expect(frames.map(({ sequence_number: number }) => number)).toEqual([0, 1, 2, 3, 4]);
  expect(own.response()).toMatchObject({
    status: 'completed',
    output: [{ type: 'compaction', encrypted_content: 'ubc1_x' }],
    usage: { output_tokens: expect.any(Number) },
  });
  expect(JSON.stringify(frames)).not.toContain('lamp');
});

test('fails where there is no summary', () => {
  const own = projection();
  own.outcome = { error: new UnbrokenError('provider_empty', 'No summary.') };
  expect(LOG.flatMap((event) => own.push(event)).at(-1)).toMatchObject({
    type: 'response.failed',
    response: { status: 'failed', output: [], error: { message: expect.stringContaining('No summary.') } },
  });
});

test('is asked for by the last item, which is no part of the conversation', () => {
  expect(beforeTrigger(bodyOf(user('Hi'), TRIGGER))?.input).toEqual([user('Hi')]);
  expect(beforeTrigger(bodyOf(TRIGGER))?.input).toBeUndefined();
  expect(beforeTrigger(bodyOf(user('Hi')))).toBeNull();
  const misplaced = bodyOf(TRIGGER, user('Hi'));
  expect(beforeTrigger(misplaced)).toBeNull();
  expect(() => mapResponseCreate(config, misplaced, { messages: [], tools: [] })).toThrow(
    'input.0: a compaction_trigger must be the last item',
  );
});
