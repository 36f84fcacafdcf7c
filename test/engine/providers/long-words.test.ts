/** What a server says of a refusal may be of any length and made of anything: reading it must not hold up others. */
import { expect, test } from '@jest/globals';
import { withoutRefusedFields } from '../../../engine/providers/anthropic-messages/refused-fields.ts';
import { refusesThoughts } from '../../../engine/providers/anthropic-messages/refused-thoughts.ts';
import { toUnbrokenError } from '../../../engine/providers/http-errors.ts';
import { toPresentableError } from '../../../engine/providers/presentable-error.ts';
import { growthOf } from '../../harness/growth.ts';

const PIECES = [
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

test.each(PIECES)('many times %j', (piece) => {
  const growth = growthOf((chars) => {
    const words = piece.repeat(Math.ceil(chars / piece.length));
    return () => readWords(words);
  }, 60_000);
  expect(growth).toBeLessThan(2.5);
});
