/** What a server says of a refusal may be of any length and made of anything: reading it must not hold up others. */
import { expect, test } from '@jest/globals';
import { withoutRefusedFields } from '../../../engine/providers/anthropic-messages/refused-fields.ts';
import { refusesThoughts } from '../../../engine/providers/anthropic-messages/refused-thoughts.ts';
import { toUnbrokenError } from '../../../engine/vendor-errors/http-error.ts';
import { toPresentableError } from '../../../engine/vendor-errors/presentable-error.ts';
import { cpuMsOf } from '../../harness/growth.ts';

const FRAGMENTS = [
  'y',
  'y.',
  ' ',
  '`',
  '<html <title',
  '<html ',
  'wait 1',
  'try again in 1s',
  'model ',
  'content ',
  'thinking` blocks ',
  'Unexpected value(s) ',
  'invalid signature in ',
];

function readWords(words: string): void {
  const refusal = { status: 400, kind: words, message: words, headers: undefined, isStreaming: false };
  toPresentableError(toUnbrokenError(refusal), ['sk-secret']);
  toPresentableError(toUnbrokenError({ ...refusal, status: 429, errorBody: words }), ['sk-secret']);
  const error = Object.assign(new Error(words), { status: 400 });
  refusesThoughts(error);
  withoutRefusedFields(error, { body: { messages: [] }, headers: { 'anthropic-beta': 'a' } });
}

test.each(FRAGMENTS)('many times %j', (fragment) => {
  const words = fragment.repeat(400_000 / fragment.length);
  // Where the time grows with the square, it is seconds.
  expect(cpuMsOf(() => readWords(words))).toBeLessThan(500);
});
