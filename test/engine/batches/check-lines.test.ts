/** What the check of a file finds, and that its lines are cut at the same places however the file arrives. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkFile, type FileRules } from '../../../engine/batches/check-lines.ts';
import { splitLines } from '../../../engine/batches/split-lines.ts';

const RULES: FileRules = {
  endpoint: '/v1/chat/completions',
  atMostLines: 100,
  atMostLineBytes: 1_000,
  atMostValues: 100,
};

async function* inChunks(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (let index = 0; from < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? bytes.length;
    yield bytes.subarray(from, from + size);
    from += size;
  }
}

const check = (text: string | Uint8Array, rules: Partial<FileRules> = {}) =>
  checkFile(inChunks(Buffer.from(text as string), [7]), { ...RULES, ...rules });

const lineOf = (more: object = {}, id = 'a') =>
  JSON.stringify({
    custom_id: id,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'm', messages: [] },
    ...more,
  });

describe('a file', () => {
  test('has an offset for each line and one for its end, and blank lines are none', async () => {
    const [first, second] = [lineOf({}, 'a'), lineOf({}, 'ü')];
    const before = `${first}\r\n\n  \n`;
    const { offsets, faults, model } = await check(before + second);
    expect(faults).toEqual([]);
    expect([...offsets]).toEqual([0, before.length, Buffer.byteLength(before + second)]);
    expect(model).toBe('m');
  });

  test.each([
    ['no JSON', '{"custom_id":', 'invalid_json_line', null],
    ['no object', '[1]', 'invalid_json_line', null],
    ['no id', lineOf({ custom_id: undefined }), 'missing_required_parameter', 'custom_id'],
    ['an empty id', lineOf({}, ''), 'invalid_custom_id', 'custom_id'],
    ['no URL', lineOf({ url: undefined }), 'missing_required_parameter', 'url'],
    ['another URL', lineOf({ url: '/v1/embeddings' }), 'url_mismatch', 'url'],
    ['another method', lineOf({ method: 'GET' }), 'invalid_method', 'method'],
    ['no body', lineOf({ body: undefined }), 'missing_required_parameter', 'body'],
    ['a body that is a list', lineOf({ body: [] }), 'invalid_type', 'body'],
    ['no model', lineOf({ body: {} }), 'missing_required_parameter', 'body.model'],
    ['too many bytes', lineOf({ more: 'x'.repeat(1_000) }), 'request_too_large', null],
  ])('with %s is refused, with the line', async (_, bad, code, param) => {
    const { faults } = await check(`${lineOf({}, 'first')}\n\n${bad}\n`);
    expect(faults).toEqual([{ code, param, line: 3, message: expect.any(String) }]);
  });

  // https://github.com/ggml-org/llama.cpp/pull/27434, https://github.com/antirez/ds4/issues/43: sent alone, such a body
  // is refused before it is parsed. Parsed, thirty megabytes of brackets are a gigabyte, and all waits for seconds.
  test.each([
    ['levels', '['.repeat(5_000_000) + ']'.repeat(5_000_000)],
    ['levels behind half of a character', `["\\ud800",${'['.repeat(5_000_000)}${']'.repeat(5_000_000)}]`],
    ['values', `[${'{},'.repeat(3_000_000)}{}]`],
  ])('of too many %s is not parsed', async (_, more) => {
    const line = lineOf().replace('"messages":[]', `"messages":${more}`);
    const bytes = Buffer.from(`${lineOf({}, 'first')}\n${line}`);
    const [before, start] = [process.memoryUsage().heapUsed, performance.now()];
    const { faults } = await checkFile(inChunks(bytes, [65_536]), { ...RULES, atMostLineBytes: 20_000_000 });
    expect(faults).toEqual([
      { code: 'request_too_large', param: null, line: 2, message: expect.any(String) },
    ]);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100_000_000);
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test('may have as many levels and values as a request alone, and half of a character', async () => {
    const deep = '['.repeat(99) + ']'.repeat(99);
    const wide = `[${'1,'.repeat(90)}1]`;
    for (const more of [deep, wide, '"\\ud800"']) {
      const line = lineOf().replace('"messages":[]', `"messages":${more}`);
      expect((await check(line)).faults).toEqual([]);
    }
  });

  test('that is no UTF-8 is refused', async () => {
    const { faults } = await check(
      Buffer.concat([Buffer.from(lineOf()), Buffer.from([10, 0x22, 0xff, 0x22])]),
    );
    expect(faults).toMatchObject([{ code: 'invalid_json_line', line: 2 }]);
  });

  test.each([
    ['with a mark', '\ufeff'],
    ['without a mark', ''],
  ])('in UTF-16 %s is refused with the fix', async (_, mark) => {
    const { faults } = await check(Buffer.from(`${mark}${lineOf()}\n${lineOf({}, 'b')}`, 'utf16le'));
    const message = expect.stringContaining('save it as UTF-8');
    expect(faults).toMatchObject([1, 2].map((line) => ({ code: 'invalid_json_line', line, message })));
  });

  test('with an id twice names the second line, and every fault is listed up to 100', async () => {
    const { faults } = await check([lineOf(), lineOf({}, 'b'), lineOf()].join('\n'));
    expect(faults).toMatchObject([{ code: 'duplicate_custom_id', line: 3, param: 'custom_id' }]);
    const many = await check(Array.from({ length: 99 }, () => '{').join('\n'));
    expect(many.faults).toHaveLength(99);
    const all = await check(Array.from({ length: 150 }, () => '{').join('\n'), { atMostLines: 500 });
    expect(all.faults).toHaveLength(100);
  });

  test('that is empty, or has too many lines, is refused', async () => {
    expect((await check('\n \n')).faults).toMatchObject([{ code: 'empty_file', line: null }]);
    const lines = Array.from({ length: 4 }, (_, index) => lineOf({}, `${index}`)).join('\n');
    expect((await check(lines, { atMostLines: 4 })).faults).toEqual([]);
    expect((await check(lines, { atMostLines: 3 })).faults).toMatchObject([
      { code: 'too_many_tasks', line: 4 },
    ]);
  });

  test('of messages has params, and neither URL nor method', async () => {
    const line = JSON.stringify({ custom_id: 'a', params: { model: 'm', max_tokens: 1, messages: [] } });
    expect((await check(line, { endpoint: '/v1/messages' })).faults).toEqual([]);
    expect((await check(lineOf(), { endpoint: '/v1/messages' })).faults).toMatchObject([{ param: 'params' }]);
  });
});

test('lines are the same however the bytes arrive, and each begins where it says', async () => {
  const text = fc.array(fc.stringMatching(/^[ a-c\r\u{1f600}]{0,6}$/u), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
      async (lines, sizes) => {
        const bytes = Buffer.from(lines.join('\n'));
        const found = [];
        for await (const line of splitLines(inChunks(bytes, sizes), 100)) found.push(line);
        const expected = lines.filter((line) => /[^ \r]/.test(line));
        expect(found.map((line) => Buffer.from(line.bytes).toString())).toEqual(expected);
        for (const { bytes: own, from } of found) {
          expect(bytes.subarray(from, from + own.length).equals(own)).toBe(true);
        }
      },
    ),
  );
});
