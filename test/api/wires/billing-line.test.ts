/**
 * Claude Code's first system block changes with every request: https://github.com/anthropics/claude-code/issues/68900,
 * https://github.com/musistudio/claude-code-router/issues/1372, https://github.com/sgl-project/sglang/pull/21064,
 * https://github.com/waybarrios/vllm-mlx/pull/277.
 */
import { expect, test } from '@jest/globals';
import { countTokensSchema, mapMessagesInput } from '../../../api/wires/anthropic-messages/request.ts';

const line = (hash: string) =>
  `x-anthropic-billing-header: cc_version=2.1.177; cc_entrypoint=cli; cch=${hash};`;
const mark = { cache_control: { type: 'ephemeral' } };
const mapped = (system: unknown) =>
  mapMessagesInput(
    countTokensSchema.parse({ model: 'm', system, messages: [{ role: 'user', content: 'Hi' }] }),
  );

test.each([
  [
    'a block',
    (hash: string) => [
      { type: 'text', text: line(hash) },
      { type: 'text', text: 'Rules.', ...mark },
    ],
  ],
  [
    'the first line of a block',
    (hash: string) => [{ type: 'text', text: `${line(hash)}\n\nRules.`, ...mark }],
  ],
])('two turns have the same prompt if it is %s', (_, systemOf) => {
  const rules = [{ type: 'text', text: 'Rules.', ...mark }];
  expect(mapped(systemOf('36ee5'))).toEqual(mapped(systemOf('0aaa9')));
  expect(mapped(systemOf('36ee5'))).toEqual(mapped(rules));
});

test('nor if it is the first line of the system text; the same words later stay', () => {
  expect(mapped(`${line('36ee5')}\nRules.`).system).toBe('Rules.');
  expect(mapped(line('36ee5'))).not.toHaveProperty('system');
  expect(mapped(`Rules.\n${line('36ee5')}`).system).toBe(`Rules.\n${line('36ee5')}`);
});
