/** The files of `unbroken batches submit`, as editors and programs write them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { firstLineOf, writeLines } from '../../bin/commands/batch-lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'unbroken-lines-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// https://github.com/lightdash/lightdash/pull/26655, https://github.com/chenyme/grok2api/pull/759
test('a byte order mark, ends of lines of Windows and separators of paragraphs are no part of the lines', async () => {
  const [from, to] = [join(folder, 'prompts.jsonl'), join(folder, 'lines.jsonl')];
  writeFileSync(from, '\ufeff{"prompt":"a\u2028b\u2029c\u0085d","id":"x"}\r\n\r\n"e"\r\n  \n"f"');
  expect(await firstLineOf(from)).toEqual({ prompt: 'a\u2028b\u2029c\u0085d', id: 'x' });
  await writeLines(from, to, 'openai/gpt-5');
  const lines = readFileSync(to, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map((line) => [line.custom_id, line.body.messages[0].content])).toEqual([
    ['x', 'a\u2028b\u2029c\u0085d'],
    ['2', 'e'],
    ['3', 'f'],
  ]);
});

test('a file without lines says so', async () => {
  const path = join(folder, 'empty.jsonl');
  writeFileSync(path, '\ufeff\r\n\n');
  await expect(firstLineOf(path)).rejects.toThrow('has no lines');
});
