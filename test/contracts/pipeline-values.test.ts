import { describe, expect, test } from '@jest/globals';
import { isPointer, parsePointer, valueAt } from '../../contracts/json-pointer.ts';
import { fillText, isMet, type PipelineValues, pointersOf } from '../../contracts/pipeline-values.ts';
import { TemplateError } from '../../contracts/prompt-template.ts';
import { cpuMsOf } from '../harness/growth.ts';

const values: PipelineValues = {
  input: { topic: 'trams', 'a/b': 'slash' },
  steps: { draft: 'A draft.', edit: null, list: ['one', null, 'two'], score: { score: 7, tags: ['a', 'b'] } },
  item: { heading: 'Rails' },
  index: 2,
};

describe('a pointer', () => {
  test('names members, elements and escaped names, and nothing inherited', () => {
    expect(parsePointer('/input/a~1b/~0')).toEqual(['input', 'a/b', '~']);
    expect(valueAt(values, ['input', 'a/b'])).toBe('slash');
    expect(valueAt(values, ['steps', 'score', 'tags', '1'])).toBe('b');
    expect(valueAt(values, ['steps', 'score', 'tags', '01'])).toBeUndefined();
    for (const name of ['constructor', '__proto__', 'length']) {
      expect(valueAt(values, ['steps', name])).toBeUndefined();
      expect(valueAt(values, ['steps', 'draft', name])).toBeUndefined();
    }
  });

  test.each(['', 'input', '/', '/other/x', '/input/~2', '/steps'])(
    '%j is one only with a root and a name',
    (text) => {
      expect(isPointer(text)).toBe(text === '/steps');
    },
  );
});

describe('a text', () => {
  test('gets its values, and a value that looks like a place is not filled again', () => {
    expect(fillText('On {{/input/topic}}, {{ /index }}: {{/item/heading}}', values)).toBe(
      'On trams, 2: Rails',
    );
    const sly = { ...values, input: { topic: '{{/steps/draft}}' } };
    expect(fillText('{{/input/topic}}', sly)).toBe('{{/steps/draft}}');
  });

  test('takes the first value that there is, joins texts, and writes objects as JSON', () => {
    expect(fillText('{{/steps/edit|/steps/draft}}', values)).toBe('A draft.');
    expect(fillText('{{/steps/list}}', values)).toBe('one\n\ntwo');
    expect(JSON.parse(fillText('{{/steps/score}}', values))).toEqual({ score: 7, tags: ['a', 'b'] });
  });

  test('a place without a value is an error that names it, and not an empty text', () => {
    expect(() => fillText('{{/steps/edit}}', values)).toThrow('{{/steps/edit}} has no value');
  });

  test.each(['{{topic}}', '{{/other}}', '{{/input/a', '{{/input/a|}}', '{{}}'])('%j is refused', (text) => {
    expect(() => pointersOf(text)).toThrow(TemplateError);
  });

  test('a value at many places is refused before they are filled', () => {
    const many = { ...values, input: { topic: 'x'.repeat(1_000_000) } };
    const fill = () => fillText('{{/input/topic}}'.repeat(15_000), many);
    expect(() => cpuMsOf(fill)).toThrow('more than 8388608 characters');
    expect(fillText('{{/input/topic}}'.repeat(8), many)).toHaveLength(8_000_000);
    expect(() => fillText('{{/input/topic}}', many, 999_999)).toThrow('more than 999999 characters');
  });

  test('a value at many places is written as JSON once', () => {
    const list = { ...values, input: { topic: Array.from({ length: 20_000 }, (_, index) => index) } };
    const fill = (places: number) => () => fillText('{{/input/topic}}'.repeat(places), list, 1e9);
    expect(cpuMsOf(fill(200))).toBeLessThan(20 * Math.max(5, cpuMsOf(fill(1))));
  });

  test('JSON that is deep within itself has no white space, which would be a hundred times as much', () => {
    let topic: unknown = Array.from({ length: 50_000 }, () => 1);
    for (let depth = 0; depth < 95; depth += 1) topic = [topic];
    const json = JSON.stringify(topic);
    expect(fillText('{{/input/topic}}', { ...values, input: { topic } })).toBe(json);
    expect(fillText('{{/input/topic}}', { ...values, input: { topic: { a: [1] } } })).toBe(
      '{\n  "a": [\n    1\n  ]\n}',
    );
  });

  test('a place of a hundred thousand spaces costs no time', () => {
    const read = () => expect(() => pointersOf(`{{/a${' '.repeat(100_000)}|x}}`)).toThrow(TemplateError);
    expect(cpuMsOf(read)).toBeLessThan(2_000);
  });
});

test.each([
  [{ value: '/steps/score/score', lessThan: 8 }, true],
  [{ value: '/steps/score/score', lessThan: 7 }, false],
  [{ value: '/steps/score/score', atMost: 7 }, true],
  [{ value: '/steps/score/score', moreThan: 7 }, false],
  [{ value: '/steps/score/score', atLeast: 7 }, true],
  [{ value: '/steps/score/tags', moreThan: 1 }, true],
  [{ value: '/steps/score/tags', contains: 'b' }, true],
  [{ value: '/steps/draft', contains: 'draft' }, true],
  [{ value: '/steps/draft', lessThan: 8 }, false],
  [{ value: '/steps/edit', exists: true }, false],
  [{ value: '/steps/missing', exists: false }, true],
  [{ value: '/input/topic', equals: 'trams' }, true],
  [{ value: '/index', equals: '2' }, false],
  [{ value: '/index', notEquals: 3 }, true],
  [{ all: [{ value: '/index', equals: 2 }, { not: { value: '/steps/edit', exists: true } }] }, true],
  [
    {
      any: [
        { value: '/index', equals: 1 },
        { value: '/index', equals: 3 },
      ],
    },
    false,
  ],
])('the condition %j is %s', (condition, expected) => {
  expect(isMet(condition, values)).toBe(expected);
});
