/** Of an answer that must be JSON, readers get the JSON and nothing around it, however the text is cut into parts. */
import { describe, expect, test } from '@jest/globals';
import { JsonText } from '../../../activities/attempt/json-text.ts';
import { MessageText } from '../../../activities/attempt/message-text.ts';

const VALUE = '{"a":"} \\" ] ```","b":[1,{"c":null}]}';

/** The text in parts of each length. */
function readInParts(text: string): string[] {
  return Array.from({ length: text.length }, (_, length) => {
    const json = new JsonText();
    let read = '';
    for (let at = 0; at < text.length; at += length + 1) read += json.push(text.slice(at, at + length + 1));
    return read + json.finish();
  });
}

const only = (text: string) => new Set(readInParts(text));

describe('the text of an answer in JSON', () => {
  test.each([
    ['alone', VALUE, VALUE],
    ['in a code fence', `\`\`\`json\n${VALUE}\n\`\`\``, VALUE],
    ['in a fence with words behind it', `\`\`\`\n${VALUE}\n\`\`\`\nHope that helps!`, VALUE],
    ['with words behind it', `${VALUE}\n\nThis is {the} answer.`, VALUE],
    ['behind a sentence', `Here is the JSON: ${VALUE}`, VALUE],
    ['in a fence behind a sentence', `Sure, [as asked]:\n\`\`\`json\n${VALUE}\n\`\`\`\nDone.`, VALUE],
    ['behind braces that are no JSON', `Use {x}: ${VALUE}`, VALUE],
    // https://github.com/garrytan/gbrain/issues/4640
    ['behind thoughts that quote another value', `<think>\nMaybe {"a":1}?\n</think>\n\n${VALUE}`, VALUE],
    ['behind thoughts, in a fence', `<think>{"a":1}</think>\`\`\`json\n${VALUE}\n\`\`\``, VALUE],
    ['a list', 'The list: [1, 2] is it', '[1, 2]'],
    ['a string', '"a \\" b" and more', '"a \\" b"'],
    ['a number', '42', '42'],
    ['true', 'true', 'true'],
    ['no JSON', 'I would rather not.', 'I would rather not.'],
    ['half a value', '{"a": [1', '{"a": [1'],
    ['braces that are no JSON', 'Use {x} or [y].', 'Use {x} or [y].'],
    ['nothing', '  ', '  '],
  ])('%s', (_name, text, expected) => {
    expect(only(text)).toEqual(new Set([expected]));
  });

  test('arrives as it is written, and not at its end', () => {
    const json = new JsonText();
    expect(json.push('```json\n{"a":')).toBe('{"a":');
    expect(json.push('1')).toBe('1');
    expect(json.push('}\n```')).toBe('}');
  });

  test('continues in another process where the first one stopped', () => {
    for (let at = 1; at <= VALUE.length; at += 1) {
      const message = new MessageText(true, VALUE.slice(0, at));
      const rest = message.push(`${VALUE.slice(at)}\n\`\`\``) + message.finish();
      expect(VALUE.slice(0, at) + rest).toBe(VALUE);
      expect(message.text).toBe(VALUE);
    }
  });
});

test('what a model says before it calls a tool is passed on when it ends', () => {
  const message = new MessageText(true, '');
  expect(message.push('Let me look.')).toBe('');
  expect(message.finish()).toBe('Let me look.');
  expect(message.push('')).toBe('');
  expect(message.finish()).toBe('');
});

describe('an answer of several messages', () => {
  test('is its last one; what the vendor calls a commentary stays as it is', () => {
    const message = new MessageText(true, '');
    message.begin('commentary');
    expect(message.push('I think {first}.')).toBe('I think {first}.');
    message.begin('final_answer');
    expect(message.push(`\n\n${VALUE} ok`)).toBe(`\n\n${VALUE}`);
    expect(message.finish()).toBe('');
    expect(message.text.trim()).toBe(VALUE);
  });

  test('without a check stays as it is', () => {
    const message = new MessageText(false, '');
    expect(message.push('```json\n{}\n```') + message.finish()).toBe('```json\n{}\n```');
  });
});
