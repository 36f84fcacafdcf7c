/** Lines of results, as the files of a batch have them. */
import { expect, test } from '@jest/globals';
import { VendorLineFormats } from '../../../api/batches/line-formats.ts';
import type { ApiDependencies } from '../../../api/dependencies.ts';
import type { BatchSpec } from '../../../engine/batches/batch-store.ts';

const formats = new VendorLineFormats({} as ApiDependencies, { logKeptMs: 0 });
const SEPARATORS = '\u0085\u2028\u2029';

// https://github.com/lightdash/lightdash/pull/26655, https://github.com/modaic-ai/modaic/pull/188,
// https://github.com/volcengine/OpenViking/issues/3984: readers in Python and Node cut a text at these, too.
test.each(['openai', 'anthropic'] as const)('a line of %s is one line for every reader', (format) => {
  const spec = { tenant: 'acme', batchId: 'batch_1', format, endpoint: '/v1/messages' } as BatchSpec;
  const line = { index: 0, customId: `a${SEPARATORS}`, body: {} };
  const body = { text: `b${SEPARATORS}c\n` };
  const { json } = formats.write(spec, line, { kind: 'completed', response: { statusCode: 200, body } });
  expect(json).toMatch(/^[^\n\r\u0085\u2028\u2029]+$/);
  expect(json).toContain('b\\u0085\\u2028\\u2029c\\n');
  expect(JSON.parse(json)).toMatchObject({ custom_id: line.customId });
  expect(JSON.stringify(JSON.parse(json))).toContain(JSON.stringify(body));
});
