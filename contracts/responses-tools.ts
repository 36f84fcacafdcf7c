/**
 * Tools of the Responses format that are no functions there, and are carried as functions. What they were stands in the
 * `native` fields of the tool; names are those of the format.
 */
import type { NativeFields } from './content.ts';

const FORMAT = 'openai-responses';

/** Where the tool stands for its client. */
interface ToolNamespace {
  readonly name: string;
  /** The name of the tool there. */
  readonly tool: string;
  readonly description?: string | undefined;
}

type Fields = NativeFields['fields'];

/** Fields that say what a tool was; no provider gets them. */
export const INTERNAL_TOOL_FIELDS = ['namespace', 'is_additional', 'leaves_strict'] as const;

interface WithNative {
  readonly native?: NativeFields | undefined;
}

function fieldsOf({ native }: WithNative): Fields {
  return native?.format === FORMAT ? native.fields : {};
}

/** A tool whose input is plain text. */
export function isCustomTool(tool: WithNative): boolean {
  return fieldsOf(tool)['type'] === 'custom';
}

/** The call of a custom tool, or its result. */
export function isOfCustomTool(part: WithNative): boolean {
  const type = fieldsOf(part)['type'];
  return type === 'custom_tool_call' || type === 'custom_tool_call_output';
}

/** Whether the tool came as an item of the input, which stays when another response continues from it. */
export function isAdditionalTool(tool: WithNative): boolean {
  return fieldsOf(tool)['is_additional'] === true;
}

/**
 * Whether its client has left `strict` out. In this format the vendor then makes the schema strict where it can; in all
 * others such a tool is not strict.
 */
export function leavesStrict(tool: WithNative): boolean {
  return fieldsOf(tool)['leaves_strict'] === true;
}

/** Of a tool, or of a call of it. */
export function namespaceOfTool(tool: WithNative): ToolNamespace | null {
  const namespace = fieldsOf(tool)['namespace'];
  return typeof namespace === 'object' && namespace !== null ? (namespace as ToolNamespace) : null;
}

/** The parameters of a function that takes one text. */
export function customToolParameters(description: string): Record<string, unknown> {
  return {
    type: 'object',
    properties: { input: { type: 'string', description } },
    required: ['input'],
    additionalProperties: false,
  };
}

export function customToolArguments(input: string): string {
  return JSON.stringify({ input });
}

/**
 * Models that know a tool from their training name its one text in their own way.
 * @returns '' for arguments that end in the middle; text that is no JSON counts as the input itself.
 */
export function customToolInput(written: string): string {
  let value: unknown;
  try {
    value = JSON.parse(written);
  } catch {
    return written.trimStart().startsWith('{') ? '' : written;
  }
  if (typeof value !== 'object' || value === null) return written;
  const { input } = value as { readonly input?: unknown };
  const [only, ...others] = Object.values(value);
  const text = input ?? (others.length === 0 ? only : undefined);
  return typeof text === 'string' ? text : written;
}

/**
 * Tools that run at the vendor, and that agents offer by default beside their own. They are left out, and the response
 * names them; a request that has no other tool, or that demands one of them, is refused.
 */
export function isLeftOutTool(type: unknown): boolean {
  return (
    typeof type === 'string' && /^(web_search(_preview)?(_\d+)*|tool_search|image_generation)$/.test(type)
  );
}
