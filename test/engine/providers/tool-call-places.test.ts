import { expect, test } from '@jest/globals';
import { AnswerState } from '../../../engine/providers/answer-state.ts';
import { ToolCallPlaces } from '../../../engine/providers/openai-chat/tool-call-places.ts';
import { growthOf } from '../../harness/growth.ts';
import { callOf } from './hear.ts';

test.each(['abcd', '{"a": 1}, ', '}'])(
  'arguments in twice as many parts take twice the time: many times %j',
  (part) => {
    const growth = growthOf(
      (parts) => () => {
        const places = new ToolCallPlaces(new AnswerState(callOf({})), {});
        const take = (argumentsPart: string, name?: string) => {
          const called = { arguments: argumentsPart, ...(name === undefined ? {} : { name }) };
          for (const _ of places.take({ index: 0, function: called }, 0));
        };
        take('{"list": [', 'write_file');
        for (let count = 0; count < parts; count += 1) take(part);
      },
      4_000,
    );
    expect(growth).toBeLessThan(2.5);
  },
);
