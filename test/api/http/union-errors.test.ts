import { describe, expect, test } from '@jest/globals';
import type { z } from 'zod';
import { parseWith } from '../../../api/http/read-request.ts';
import { messagesSchema } from '../../../api/wires/anthropic-messages/request.ts';
import { chatCompletionSchema } from '../../../api/wires/openai-chat/request.ts';

const paramOf = (schema: z.ZodType, body: object): unknown => {
  try {
    parseWith(schema, body);
  } catch (error) {
    return error instanceof Error && 'details' in error ? error.details : error;
  }
  return 'accepted';
};

describe('S6: an error of a union names the field at fault', () => {
  test('a part of a message', () => {
    const content = [{ type: 'text', text: 5 }];
    const body = { model: 'm', max_tokens: 5, messages: [{ role: 'user', content }] };
    expect(paramOf(messagesSchema, body)).toEqual({ param: 'messages.0.content.0.text' });
  });

  test('a part of a chat message', () => {
    const content = [{ type: 'image_url', image_url: { url: 5 } }];
    const body = { model: 'm', messages: [{ role: 'user', content }] };
    expect(paramOf(chatCompletionSchema, body)).toEqual({ param: 'messages.0.content.0.image_url.url' });
  });
});
