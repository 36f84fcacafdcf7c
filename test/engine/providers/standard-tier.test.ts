/** The tier in which OpenAI serves a request, and so its price. */
import { expect, test } from '@jest/globals';
import { buildOpenAiChatRequest } from '../../../engine/providers/openai-chat/request.ts';
import { buildOpenAiResponseRequest } from '../../../engine/providers/openai-responses/request.ts';
import { withStandardTier } from '../../../engine/providers/standard-tier.ts';
import { callOf } from './hear.ts';

const tierOf = (tier: string | undefined, baseUrl: string | undefined) => {
  const fields = { user: 'ann', ...(tier === undefined ? {} : { service_tier: tier }) };
  const call = callOf({ native: { format: 'openai-chat', fields } });
  const chat = buildOpenAiChatRequest(withStandardTier(call, 'openai-chat', baseUrl), {});
  const response = buildOpenAiResponseRequest(withStandardTier(call, 'openai-responses', baseUrl), {
    isBackground: false,
    reasons: false,
  });
  expect([chat, response]).toMatchObject([{ user: 'ann' }, { user: 'ann' }]);
  expect(response.service_tier).toBe(chat.service_tier);
  return chat.service_tier;
};

test.each([undefined, 'https://api.openai.com/v1', 'https://eu.api.openai.com/v1'])(
  'at OpenAI (%s) it is never left to the settings of the project',
  (baseUrl) => {
    expect(tierOf(undefined, baseUrl)).toBe('default');
    expect(tierOf('auto', baseUrl)).toBe('default');
    expect(tierOf('flex', baseUrl)).toBe('flex');
  },
);

test('other servers get what the client said', () => {
  expect(tierOf(undefined, 'https://api.openai.com.example.com/v1')).toBeUndefined();
  expect(tierOf('auto', 'https://openrouter.ai/api/v1')).toBe('auto');
});
