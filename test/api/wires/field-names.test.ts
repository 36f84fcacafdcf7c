/** Errors name fields as their clients write them. */
import { describe, expect, test } from '@jest/globals';
import { toAnthropicError } from '../../../api/wires/anthropic-messages/errors.ts';
import { toOpenAiError } from '../../../api/wires/openai-responses/errors.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';

const refused = (message: string, param?: string) =>
  new UnbrokenError('invalid_request', message, param === undefined ? {} : { details: { param } });

describe('the words of an error', () => {
  test.each([
    ['input.0.content: none; topP: too large', 'messages.0.content: none; top_p: too large'],
    ['output.name: no spaces', 'response_format.json_schema.name: no spaces'],
    ['output.schema.type: none', 'response_format.json_schema.schema.type: none'],
    ['The input: none', 'The input: none'],
  ])('%s', (ours, theirs) => {
    expect(toOpenAiError(refused(ours, 'input'), 'openai-chat').message).toBe(theirs);
    expect(toOpenAiError(refused(ours), 'openai-chat').message).toBe(ours);
  });

  test('have the names of each format', () => {
    const error = refused('maxOutputTokens: too large', 'maxOutputTokens');
    expect(toOpenAiError(error, 'openai-responses').message).toBe('max_output_tokens: too large');
    expect(toAnthropicError(error).error.message).toBe('max_tokens: too large');
  });
});
