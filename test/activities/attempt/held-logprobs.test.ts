import { expect, test } from '@jest/globals';
import { createContinuationGuard } from '../../../activities/attempt/continuation-guard.ts';
import { HeldLogprobs } from '../../../activities/attempt/held-logprobs.ts';
import { createRestartGuard, type RestartGuard } from '../../../activities/attempt/restart-guard.ts';

/** What the log gets: each text, with the tokens whose log probabilities come with it. */
function written(guard: RestartGuard, tokens: readonly string[]): [string, string[]][] {
  const held = new HeldLogprobs();
  const log: [string, string[]][] = [];
  const write = ({ text }: { readonly text: string }) => {
    if (text !== '') log.push([text, held.release(text).map(({ token }) => token)]);
  };
  for (const token of tokens) {
    held.hold(token, [{ token, logprob: -1, top: [] }]);
    write(guard.push(token));
  }
  write(guard.finish('stop'));
  return log;
}

const DELIVERED = 'Light travels at about three hundred thousand kilometres a second';

test('of an answer from its beginning, each token comes with its text', () => {
  expect(written(createRestartGuard(''), ['Light', ' is', ' fast'])).toEqual([
    ['Light', ['Light']],
    [' is', [' is']],
    [' fast', [' fast']],
  ]);
});

test('of a restart that repeats what readers have, the tokens of the rest alone come', () => {
  expect(written(createRestartGuard('Light is'), ['Light', ' i', 's fa', 'st'])).toEqual([
    // The token that readers have a part of is given to none.
    [' fa', []],
    ['st', ['st']],
  ]);
});

test('of a restart that differs, all tokens come again, because the text before them is void', () => {
  expect(written(createRestartGuard('Light is'), ['Light', ' was', ' fast'])).toEqual([
    ['Light was', ['Light', ' was']],
    [' fast', [' fast']],
  ]);
});

test('of a continuation that first says the end again, the repeated tokens do not come', () => {
  const log = written(createContinuationGuard(DELIVERED), [
    ' kilometres',
    ' a',
    ' second',
    ' in',
    ' a',
    ' vacuum',
  ]);
  expect(log.map(([text]) => text).join('')).toBe(' in a vacuum');
  expect(log.flatMap(([, tokens]) => tokens)).toEqual([' in', ' a', ' vacuum']);
});

test('of a continuation behind a remark, the tokens of the remark do not come', () => {
  const remark = ['Sure', ', here is', ' the rest', ':\n', '\n', ' in a', ' vacuum'];
  const log = written(createContinuationGuard(DELIVERED), remark);
  expect(log.flatMap(([, tokens]) => tokens).join('')).toBe(log.map(([text]) => text).join(''));
  expect(log.flatMap(([, tokens]) => tokens).join('')).toContain('vacuum');
});
