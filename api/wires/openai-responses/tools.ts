/**
 * Maps the tools of a Responses request. Custom tools are carried as functions that take one text, and namespaces are
 * flattened into the names of their tools, so that every provider can take them; answers have the client's names.
 */
import { z } from 'zod';
import { jsonSchemaSchema, type Tool, type ToolChoice, type Tools } from '../../../contracts/content.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { customToolParameters, isLeftOutTool } from '../../../contracts/responses-tools.ts';
import { nativeRest } from '../native.ts';
import type { Item } from './items.ts';
import { FLAT_SEPARATOR, flatToolName } from './tool-names.ts';

const FORMAT = 'openai-responses';
const OTHER_TOOL = /^(?!(?:function|custom|namespace)$)/;

const functionTool = z.looseObject({
  type: z.literal('function'),
  name: z.string(),
  description: z.string().nullish(),
  parameters: jsonSchemaSchema.nullish(),
  strict: z.boolean().nullish(),
});
/** As chat completions have it: clients of both formats write it here, too. */
const nestedTool = z.looseObject({
  type: z.literal('function'),
  name: z.undefined().optional(),
  function: functionTool.omit({ type: true }),
});
const customTool = z.looseObject({
  type: z.literal('custom'),
  name: z.string(),
  description: z.string().nullish(),
  format: z
    .looseObject({ type: z.string(), syntax: z.string().optional(), definition: z.string().optional() })
    .nullish(),
});
const namespaceTool = z.looseObject({
  type: z.literal('namespace'),
  name: z.string(),
  description: z.string().nullish(),
  tools: z.array(z.discriminatedUnion('type', [functionTool, customTool])).max(LIMITS.toolsPerRequest),
});
export const responseToolSchema = z.union([
  z.discriminatedUnion('type', [functionTool, customTool, namespaceTool]),
  nestedTool,
  z.looseObject({ type: z.string().regex(OTHER_TOOL, { abort: true }) }),
]);
type ResponseTool = z.infer<typeof responseToolSchema>;

const additionalToolsSchema = z.object({
  tools: z.array(responseToolSchema).max(LIMITS.toolsPerRequest),
});

const toolName = z.object({
  type: z.enum(['function', 'custom']),
  name: z.string(),
  namespace: z.string().nullish(),
});
export const responseToolChoiceSchema = z.union([
  z.enum(['auto', 'none', 'required']),
  toolName,
  z.object({ type: z.literal('function'), function: z.object({ name: z.string() }) }),
  z.object({
    type: z.literal('allowed_tools'),
    mode: z.enum(['auto', 'required']),
    tools: z.array(toolName).min(1).max(LIMITS.toolsPerRequest),
  }),
]);

/** Closed, as strict mode wants it. */
const NO_PARAMETERS = { type: 'object', properties: {}, additionalProperties: false } as const;

/** Tools in items of the input, marked: they stay when another response continues from this one. */
export function additionalToolsIn(items: readonly Item[]): Tools {
  return items.flatMap((item) => {
    if (item.type !== 'additional_tools') return [];
    const parsed = additionalToolsSchema.safeParse(item);
    if (!parsed.success) {
      throw new UnbrokenError('invalid_request', 'input: additional_tools needs a list of tools.', {
        details: { param: 'input' },
      });
    }
    return mapResponseTools(parsed.data.tools, 'additional_tools', { is_additional: true });
  });
}

/** @param where the list stands, for errors. @param marks what the native fields of each function get. */
export function mapResponseTools(tools: readonly ResponseTool[], where: string, marks: object = {}): Tools {
  // Without the search, no model would find the tools that wait for it.
  const isSearched = tools.some(({ type }) => type === 'tool_search');
  const map = (tool: OwnTool, about: string | null) =>
    mapTool(isSearched ? { ...tool, defer_loading: undefined } : tool, about);
  return tools.flatMap((tool, index): Tools => {
    if (isNamespace(tool)) {
      const { name, description, tools: inner } = tool;
      const described = description === null || description === undefined ? {} : { description };
      return inner.map((own, place) => {
        const namespace = { name, tool: own.name, ...(place === 0 ? described : {}) };
        const about =
          place === 0 && description ? `Tools named ${name}${FLAT_SEPARATOR}*: ${description}` : null;
        return withMarks(map(own, about), flatToolName(own.name, name), { ...marks, namespace });
      });
    }
    if (isNested(tool))
      return [withMarks(map({ ...tool.function, type: 'function' }, null), tool.function.name, marks)];
    if (isOwnTool(tool)) return [withMarks(map(tool, null), tool.name, marks)];
    if (isLeftOutTool(tool.type)) return [{ type: 'native', format: FORMAT, value: { ...tool } }];
    throw runsElsewhere(tool.type, `${where}.${index}.type`);
  });
}

/** @throws invalid_request if no tool is left that the application runs itself. */
export function assertToolsRunHere(tools: Tools): void {
  const [first] = tools;
  if (first === undefined || !tools.every((tool) => 'format' in tool)) return;
  throw runsElsewhere('format' in first ? String(first.value['type']) : 'function', 'tools.0.type');
}

type OwnTool = z.infer<typeof functionTool> | z.infer<typeof customTool>;

function isNamespace(tool: ResponseTool): tool is z.infer<typeof namespaceTool> {
  return tool.type === 'namespace';
}

function isNested(tool: ResponseTool): tool is z.infer<typeof nestedTool> {
  return tool.type === 'function' && !('name' in tool && typeof tool.name === 'string');
}

function isOwnTool(tool: ResponseTool): tool is OwnTool {
  return tool.type === 'function' || tool.type === 'custom';
}

/** Tools that the application runs, but that only OpenAI's models know. */
const RUNS_AT_CLIENT = /^(?:(?:local_)?shell|apply_patch|computer(?:_use)?(?:_preview)?)$/;

function runsElsewhere(type: string, param: string): UnbrokenError {
  const fix = 'Leave it out, or offer a function of your application in its place.';
  const why = RUNS_AT_CLIENT.test(type)
    ? "is a tool that only one vendor's models know, so that no other could take its calls over"
    : 'is a tool that runs at the vendor, where no log and no budget sees its results and costs';
  return new UnbrokenError('invalid_request', `${param}: ${type} ${why}. ${fix}`, { details: { param } });
}

function mapTool(tool: OwnTool, about: string | null): Tool {
  const texts = [tool.description, about].filter(
    (text) => text !== null && text !== undefined && text !== '',
  );
  const described = texts.length === 0 ? {} : { description: texts.join('\n\n') };
  if (tool.type === 'custom') {
    const { name, format } = tool as z.infer<typeof customTool>;
    const fields = nativeRest(FORMAT, tool, { type: true, name: true, description: true }).native?.fields;
    return {
      name,
      ...described,
      parameters: customToolParameters(describeInput(format)),
      native: { format: FORMAT, fields: { ...fields, type: 'custom' } },
    };
  }
  const { name, parameters, strict } = tool as z.infer<typeof functionTool>;
  const shape = { type: true, name: true, description: true, parameters: true, strict: true } as const;
  const { native } = nativeRest(FORMAT, tool, shape);
  return {
    name,
    ...described,
    parameters: parameters ?? NO_PARAMETERS,
    ...(strict === null || strict === undefined
      ? { native: { format: FORMAT, fields: { ...native?.fields, leaves_strict: true } } }
      : { strict, ...(native === undefined ? {} : { native }) }),
  };
}

function describeInput(format: z.infer<typeof customTool>['format']): string {
  if (format?.type !== 'grammar') return 'The whole input of the tool, as plain text.';
  const { syntax = '', definition = '' } = format;
  return `The whole input of the tool, as plain text. It must match this ${syntax} grammar:\n\n${definition}`;
}

function withMarks(tool: Tool, name: string, marks: object): Tool {
  if (Object.keys(marks).length === 0) return { ...tool, name };
  return { ...tool, name, native: { format: FORMAT, fields: { ...tool.native?.fields, ...marks } } };
}

export function mapResponseToolChoice(
  choice: z.infer<typeof responseToolChoiceSchema> | null | undefined,
): ToolChoice | null {
  if (choice === null || choice === undefined) return null;
  if (typeof choice === 'string') return choice;
  if ('function' in choice) return { name: choice.function.name };
  if (choice.type !== 'allowed_tools') return { name: flatToolName(choice.name, choice.namespace) };
  const allowed = choice.tools.map(({ name, namespace }) => flatToolName(name, namespace));
  return { allowed, mode: choice.mode };
}
