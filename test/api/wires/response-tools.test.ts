import { describe, expect, test } from '@jest/globals';
import { responseCreateSchema } from '../../../api/wires/openai-responses/request.ts';
import { flatToolName } from '../../../api/wires/openai-responses/tool-names.ts';
import {
  additionalToolsIn,
  assertToolsRunHere,
  mapResponseTools,
} from '../../../api/wires/openai-responses/tools.ts';
import { functionTools } from '../../../contracts/content.ts';
import { customToolInput, isAdditionalTool, isCustomTool } from '../../../contracts/responses-tools.ts';

const map = (...tools: object[]) =>
  mapResponseTools(responseCreateSchema.parse({ tools }).tools ?? [], 'tools');
const lookup = { type: 'function', name: 'lookup', parameters: { type: 'object' } };
const patch = {
  type: 'custom',
  name: 'apply_patch',
  description: 'Edits files.',
  format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' },
};

describe('the tools of a Responses request', () => {
  test('a custom tool is a function with one text, whose grammar the model reads', () => {
    const [tool] = functionTools(map(patch));
    expect(tool).toMatchObject({
      name: 'apply_patch',
      description: 'Edits files.',
      parameters: { properties: { input: { description: expect.stringContaining('start: "x"') } } },
    });
    expect(tool !== undefined && isCustomTool(tool)).toBe(true);
  });

  test('tools of a namespace have its name before theirs, and the first one says what it is', () => {
    const spawn = { ...lookup, name: 'spawn', description: 'Starts.' };
    const namespace = { type: 'namespace', name: 'agents', description: 'Others.', tools: [spawn, lookup] };
    const tools = functionTools(map(namespace));
    expect(tools.map(({ name }) => name)).toEqual(['agents__spawn', 'agents__lookup']);
    expect(tools[0]?.description).toBe('Starts.\n\nTools named agents__*: Others.');
  });

  test.each([
    ['lookup', null, 'lookup'],
    ['lookup', 'agents', 'agents__lookup'],
    ['lookup', 'mcp__files__', 'mcp__files__lookup'],
    ['read.file', 'a b', 'a_b__read_file'],
  ])('%s of %s is %s', (name, namespace, flat) => {
    expect(flatToolName(name, namespace)).toBe(flat);
  });

  test('long flat names stay within 64 characters, and apart', () => {
    const [a, b] = ['a', 'b'].map((last) => flatToolName(`${'x'.repeat(60)}${last}`, 'namespace'));
    expect([a?.length, b?.length]).toEqual([64, 64]);
    expect(a).not.toBe(b);
  });

  // https://github.com/router-for-me/CLIProxyAPI/issues/4812
  test.each([
    ['shell', /only one vendor's models know/],
    ['apply_patch', /only one vendor's models know/],
    ['file_search', /runs at the vendor/],
  ])('%s is refused, and the error says why', (type, why) => {
    expect(() => map({ type }, lookup)).toThrow(why);
  });

  test('what agents offer by default is kept apart; alone, or of another kind, it is refused by name', () => {
    const mapped = map({ type: 'web_search' }, { type: 'tool_search' }, { ...lookup, defer_loading: true });
    expect(mapped.map((tool) => ('format' in tool ? tool.value['type'] : tool.name))).toEqual([
      'web_search',
      'tool_search',
      'lookup',
    ]);
    expect(functionTools(mapped)[0]?.native?.fields).toEqual({ leaves_strict: true });
    expect(() => assertToolsRunHere(mapped)).not.toThrow();
    expect(() => assertToolsRunHere(map({ type: 'web_search' }))).toThrow(/tools\.0\.type: web_search/);
    expect(() => map(lookup, { type: 'file_search' })).toThrow(/tools\.1\.type: file_search/);
  });

  test('tools in the input are marked, and a broken list is refused', () => {
    const [tool] = functionTools(additionalToolsIn([{ type: 'additional_tools', tools: [lookup] }]));
    expect(tool !== undefined && isAdditionalTool(tool)).toBe(true);
    expect(() => additionalToolsIn([{ type: 'additional_tools', tools: 'x' }])).toThrow('additional_tools');
  });

  test.each([
    ['{"input":"a \\"b\\""}', 'a "b"'],
    ['{"input":"cut', ''],
    ['*** Begin Patch', '*** Begin Patch'],
    ['{"other":1}', '{"other":1}'],
    // https://github.com/farion1231/cc-switch/pull/3669
    ['{"patch":"*** Begin Patch"}', '*** Begin Patch'],
    ['{"a":"x","b":"y"}', '{"a":"x","b":"y"}'],
    ['"*** Begin Patch"', '"*** Begin Patch"'],
  ])('the input of a custom tool in %s', (written, input) => {
    expect(customToolInput(written)).toBe(input);
  });
});
