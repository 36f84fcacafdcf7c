import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { pipelineJsonSchema } from '../../../contracts/pipeline-json-schema.ts';
import { newPipelineSchema, pipelineContentSchema } from '../../../contracts/pipelines.ts';
import { checkPipeline } from '../../../engine/jobs/check-pipeline.ts';
import { schemaAt } from '../../../engine/jobs/schema-at.ts';
import { cpuMsOf } from '../../harness/growth.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const example: unknown = parse(read('examples/pipelines/article.yaml'));

const check = (content: object) => checkPipeline(pipelineContentSchema.parse(content));
const list = {
  schema: { type: 'object', properties: { all: { type: 'array', items: { type: 'string' } } } },
};

test('the example runs from the outline to the metadata, and its needs follow from what it reads', () => {
  const { name: _name, ...content } = newPipelineSchema.parse(example);
  const { steps } = checkPipeline(content);
  expect(steps.map(({ name, needs }) => [name, needs])).toEqual([
    ['outline', []],
    ['sections', ['outline']],
    ['edit', ['sections']],
    ['metadata', ['edit']],
  ]);
});

test('a pipeline that is large, or has many places of values, is refused before its texts are read', () => {
  const steps = (input: string) =>
    Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`s${index}`, { input }]));
  const refused = (input: string) => () =>
    checkPipeline(pipelineContentSchema.parse({ steps: steps(input) }));
  expect(refused('x'.repeat(200_000))).toThrow(/^steps: the pipeline has \d+ bytes of at most 1048576\.$/);
  expect(refused('{{/item}}'.repeat(4_000))).toThrow('has 80000 places of values of at most 60000');
});

test('many places that read a schema with long references cost what one costs', () => {
  const chain = Array.from({ length: 150 }, (_, index) => [`d${index}`, { $ref: `#/$defs/d${index + 1}` }]);
  const $defs = { ...Object.fromEntries(chain), d150: { type: 'object', properties: { x: {} } } };
  const read = (schema: object, places: number) => () =>
    check({
      steps: { a: { input: 'x', output: { schema } }, b: { input: '{{/steps/a/x}}'.repeat(places) } },
    });
  expect(cpuMsOf(read({ $ref: `#/${'a/'.repeat(200_000)}` }, 1_000))).toBeLessThan(2_000);
  expect(cpuMsOf(read({ $ref: '#/$defs/d0', $defs }, 15_000))).toBeLessThan(2_000);
});

test('the sample of the documentation is a pipeline', () => {
  const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(read('docs/jobs.md')) ?? [];
  const { name: _name, ...content } = newPipelineSchema.parse(parse(yaml));
  expect(checkPipeline(content).steps.map(({ name }) => name)).toEqual([
    'draft',
    'score',
    'polish',
    'publish',
  ]);
});

describe('the schema for editors', () => {
  const fits = new Ajv2020({ strict: false }).compile(pipelineJsonSchema());

  test('is that of the code; if not: node bin/write-pipeline-schema.ts', () => {
    expect(JSON.parse(read('unbroken.pipeline.schema.json'))).toEqual(pipelineJsonSchema());
  });

  test('takes the example, and marks an unknown field and a bad condition', () => {
    expect(fits(example)).toBe(true);
    const steps = (step: object) => ({ name: 'a', steps: { one: step } });
    expect(fits(steps({ input: 'x' }))).toBe(true);
    expect(fits(steps({ input: 'x', forech: '/input/a' }))).toBe(false);
    expect(fits(steps({ input: 'x', when: { value: '/input/a', equal: 1 } }))).toBe(false);
  });
});

test.each([
  ['an unknown need', { a: { input: 'x', needs: ['b'] } }, 'steps.a: there is no step "b"'],
  ['an unknown step in a text', { a: { input: '{{/steps/b}}' } }, 'steps.a: there is no step "b"'],
  [
    'an undeclared input',
    { a: { input: '{{/input/b}}' } },
    'steps.a.input: /input/b is not declared in input',
  ],
  ['its own value', { a: { input: '{{/steps/a}}' } }, '/steps/a is the value of this step itself'],
  [
    'a circle',
    { a: { input: '{{/steps/b}}' }, b: { input: 'x', needs: ['a'] } },
    'a -> b -> a need each other',
  ],
  [
    'an item without foreach',
    { a: { input: '{{/item}}' } },
    '/item exists only in the texts of a step with foreach',
  ],
  [
    'a member of a text',
    { a: { input: 'x' }, b: { input: '{{/steps/a/title}}' } },
    'reads a member of a text',
  ],
  [
    'a member that the schema has not',
    {
      a: { input: 'x', output: { schema: { type: 'object', properties: {}, additionalProperties: false } } },
      b: { input: '{{/steps/a/c}}' },
    },
    '/steps/a/c is not in the schema of that step',
  ],
  [
    'a foreach over a text',
    { a: { input: 'x' }, b: { input: 'x', foreach: '/steps/a' } },
    '/steps/a is a text',
  ],
  [
    'a foreach over an object',
    { a: { input: 'x', output: list }, b: { input: 'x', foreach: '/steps/a' } },
    '/steps/a has the type object, not array',
  ],
  [
    'a step without a text',
    { a: { model: 'openai/gpt-4o-mini' } },
    'steps.a: expected a prompt, a system or an input',
  ],
  ['a broken text', { a: { input: '{{nonsense}}' } }, 'steps.a.input: line 1: "{{nonsense}}" is no'],
])('%s is refused before anything is spent', (_, steps, fault) => {
  expect(() => check({ steps })).toThrow(fault);
});

test('a foreach over a text input asks for a list', () => {
  const steps = { a: { input: '{{/item}}', foreach: '/input/topics' } };
  expect(() => check({ input: { topics: {} }, steps })).toThrow(
    'has the type text; declare it with type: list',
  );
  expect(check({ input: { topics: { type: 'list' } }, steps }).steps).toHaveLength(1);
});

test('a foreach over a list of a schema is taken, also over the answers of another one', () => {
  const steps = {
    a: { input: 'x', output: list },
    b: { input: '{{/item}}', foreach: '/steps/a/all' },
    c: { input: '{{/item}}', foreach: '/steps/b' },
  };
  expect(check({ steps }).steps.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
});

test('all faults are reported at once', () => {
  const steps = { a: { input: '{{/input/x}}', needs: ['z'] }, b: { input: '{{/steps/y}}' } };
  expect(() => check({ steps })).toThrow(/"z".*\/input\/x.*"y"/);
});

describe('a path through a schema', () => {
  const schema = {
    $defs: {
      part: { type: 'object', properties: { next: { $ref: '#/$defs/part' } }, additionalProperties: false },
    },
    type: 'object',
    properties: {
      part: { $ref: '#/$defs/part' },
      any: { anyOf: [{ type: 'string' }] },
      loop: { $ref: '#/$defs/loop' },
    },
  };
  test('follows references, and does not decide what the schema leaves open', () => {
    expect(schemaAt(schema, ['part', 'next', 'next'])).toMatchObject({ type: 'object' });
    expect(schemaAt(schema, ['part', 'other'])).toBeNull();
    expect(schemaAt(schema, ['any', 'x'])).toBe('unknown');
    expect(schemaAt(schema, ['unlisted'])).toBe('unknown');
  });
  test('a circle of references ends', () => {
    expect(schemaAt({ $defs: { a: { $ref: '#/$defs/a' } }, $ref: '#/$defs/a' }, ['x'])).toBe('unknown');
  });
});
