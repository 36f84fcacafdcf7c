/** Where system messages of chat clients stand in a conversation with Claude. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Message } from '../../../contracts/content.ts';
import { buildAnthropicRequest } from '../../../engine/providers/anthropic-messages/request.ts';
import {
  createSimulatedProvider,
  type SimulatedProvider,
} from '../../../tools/simulator/create-simulated-provider.ts';

const NEW = 'claude-opus-4-8';
let server: SimulatedProvider;
beforeAll(async () => {
  server = await createSimulatedProvider();
});
afterAll(() => server.stop());

const say = (role: Message['role'], content: string): Message => ({ role, content });
const [first, answer, late, next] = [
  say('user', 'One? [[sim tokens=1 delay_ms=0]]'),
  say('assistant', 'One.'),
  say('system', 'Be brief.'),
  say('user', 'Two?'),
];

const own: Message = { ...late, native: { format: 'anthropic-messages', fields: {} } };

function sent(messages: readonly Message[], model = NEW) {
  return buildAnthropicRequest({
    model,
    input: { messages, maxOutputTokens: 100 },
    maxOutputTokens: 100,
    idempotencyKey: 'k',
    resume: { strategy: 'start' },
    signal: new AbortController().signal,
  });
}

const inPlace = { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] };

describe('a late system message', () => {
  test.each([
    ['at the end', [first, answer, next, late], 3],
    ['before an answer', [first, late, answer, next], 1],
  ])('stays %s', (_where, messages, index) => {
    const { system, messages: turns } = sent(messages);
    expect(system).toBeUndefined();
    expect(turns[index]).toEqual(inPlace);
  });

  test('of several neighbours is one, and a developer counts as the system', () => {
    const { messages } = sent([first, late, say('developer', 'In French.'), answer, next]);
    expect(messages[1]).toEqual({
      role: 'system',
      content: [
        { type: 'text', text: 'Be brief.' },
        { type: 'text', text: 'In French.' },
      ],
    });
    expect(messages.map(({ role }) => role)).toEqual(['user', 'system', 'assistant', 'user']);
  });

  test.each([
    ['before a question', NEW, [first, answer, late, next]],
    ['after an answer', NEW, [first, answer, late]],
    ['for an older model', 'claude-opus-4-7', [first, answer, next, late]],
    ['for a model of which the documents differ', 'claude-sonnet-5', [first, answer, next, late]],
    ['on Bedrock', 'us.anthropic.claude-opus-4-8', [first, answer, next, late]],
    ['for a model that is not known', 'large', [first, answer, next, late]],
  ])('joins the system text %s', (_where, model, messages) => {
    const { system, messages: turns } = sent(messages, model);
    expect(system).toBe('Be brief.');
    expect(turns.map(({ role }) => role)).not.toContain('system');
  });

  test('of this format stays in any place that its client chose, at a model that takes one', () => {
    const { system, messages } = sent([first, own, answer, next]);
    expect(system).toBeUndefined();
    expect(messages[1]).toEqual({ role: 'system', content: 'Be brief.' });
  });

  // https://github.com/anthropics/claude-code/issues/77698, https://github.com/zai-org/GLM-5/issues/74
  test.each(['claude-haiku-4-5', 'us.anthropic.claude-sonnet-4-6-v1:0', 'glm-5.1'])(
    'of this format joins the system text for %s, which would refuse it',
    (model) => {
      const { system, messages } = sent([say('system', 'Help.'), first, own, answer, next], model);
      expect(system).toBe('Help.\n\nBe brief.');
      expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    },
  );

  test('is taken by the vendor in each place that it is sent in', async () => {
    for (const messages of [
      [first, answer, next, late],
      [first, own, answer, next],
      [first, late, answer, next],
      [first, answer, late, next],
      [first, late, late, answer, next],
    ]) {
      for (const model of [NEW, 'claude-sonnet-5', 'claude-haiku-5-5', 'claude-sonnet-4-5']) {
        const response = await fetch(`${server.url}/v1/messages`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'x-api-key': 'k',
            'anthropic-version': '2023-06-01',
          },
          body: JSON.stringify({ ...sent(messages, model), stream: false }),
        });
        expect([model, response.status, response.status === 200 ? '' : await response.text()]).toEqual([
          model,
          200,
          '',
        ]);
      }
    }
  });
});
