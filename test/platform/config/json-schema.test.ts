import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import { configJsonSchema } from '../../../platform/config/json-schema.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');

const ajv = new Ajv2020({ strict: false });
addFormats.default(ajv);
const isConfig = ajv.compile(configJsonSchema());

test('the schema for editors is that of the code; if not: node bin/write-config-schema.ts', () => {
  expect(JSON.parse(read('unbroken.config.schema.json'))).toEqual(configJsonSchema());
});

test('the example of a config names the schema for editors, and fits it', () => {
  const example = read('unbroken.config.example.yaml');
  expect(example.split('\n')[0]).toBe('# yaml-language-server: $schema=./unbroken.config.schema.json');
  expect(isConfig(parse(example))).toBe(true);
});

test('an editor marks an unknown setting, a wrong order and a model without its provider', () => {
  expect(isConfig({ routes: { default: { candidates: ['openai/gpt-4o-mini'], oder: 'cost' } } })).toBe(false);
  expect(isConfig({ routes: { default: { candidates: ['openai/gpt-4o-mini'], order: 'fast' } } })).toBe(
    false,
  );
  expect(isConfig({ routes: { default: ['gpt-4o-mini'] } })).toBe(false);
});
