/** The table of fields has the fields of the installed SDKs as its rows, and docs/wires-fields.md shows them. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { reachableObjects } from '../../harness/fields/examples.ts';
import { FORMATS } from '../../harness/fields/formats.ts';
import { countOutcomes, DOCS_PATH, docsText, readTable, staleRows } from '../../harness/fields/table.ts';
import { introduction } from '../../harness/fields/write-table.ts';

const table = readTable();

test('every field of the installed SDKs has a row, and every row has a field', () => {
  expect(staleRows(table)).toEqual({ missing: [], extra: [] });
});

test('a field that a new version of an SDK brings, and one that it takes away, are found', () => {
  const [format] = FORMATS;
  const [root] = format === undefined ? [] : reachableObjects(format.root);
  const seed = root?.object.fields.get('seed');
  if (root === undefined || seed === undefined) throw new Error('the SDK has no seed');
  root.object.fields.delete('seed');
  root.object.fields.set('of_tomorrow', seed);
  try {
    expect(staleRows(table)).toEqual({
      missing: [`openai-chat ${root.object.name}.of_tomorrow`],
      extra: [`openai-chat ${root.object.name}.seed`],
    });
  } finally {
    root.object.fields.delete('of_tomorrow');
    root.object.fields.set('seed', seed);
  }
});

test('no field is lost', () => {
  expect(countOutcomes(table)['LOST']).toBe(0);
});

test('docs/wires-fields.md shows the table', () => {
  expect(readFileSync(DOCS_PATH, 'utf8')).toBe(docsText(table, introduction()));
});
