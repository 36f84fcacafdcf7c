/** What Anthropic's clients read of a stream and of an error, besides the answer. */
import { describe, expect, test } from '@jest/globals';
import { toAnthropicError } from '../../../api/wires/anthropic-messages/errors.ts';
import { MessageProjection } from '../../../api/wires/anthropic-messages/project.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { EventBody, GenerationEvent } from '../../../contracts/events.ts';

const start: EventBody = { type: 'generation-start', generationId: 'gen_1', route: 'default', user: 'u' };
const hit: EventBody = { type: 'cache-hit', provider: 'p', model: 'm', similarity: 1, ageMs: 1 };
const text: EventBody = { type: 'text-delta', text: 'Hi' };

function firstUsage(...bodies: readonly EventBody[]) {
  const projection = new MessageProjection('m', 120);
  const frames = bodies.flatMap((body, seq) => projection.push({ ...body, seq, at: 1 } as GenerationEvent));
  const [first] = frames;
  return first?.type === 'message_start' ? first.message.usage.input_tokens : undefined;
}

describe('a stream', () => {
  test('begins with about as many input tokens as the request has', () => {
    expect(firstUsage(start, text)).toBe(120);
  });

  test('of a stored answer begins with none', () => {
    expect(firstUsage(start, hit, text)).toBe(0);
  });
});

describe('an error', () => {
  test('for an input that is too long has the words by which agents know that they must compact', () => {
    const messageOf = (message: string) =>
      toAnthropicError(new UnbrokenError('context_length_exceeded', message)).error.message;
    expect(messageOf('400: The maximum context length is 8192 tokens.')).toBe(
      'prompt is too long: 400: The maximum context length is 8192 tokens.',
    );
    expect(messageOf('400: prompt is too long: 3 tokens > 2 maximum')).toBe(
      '400: prompt is too long: 3 tokens > 2 maximum',
    );
  });

  test('names its request', () => {
    const error = new UnbrokenError('invalid_request', 'No.');
    expect(toAnthropicError(error, 'req_1').request_id).toBe('req_1');
    expect(toAnthropicError(error).request_id).toBeNull();
  });
});
