/** The tools of a chat completion, and the format of its answer. */
import { z } from 'zod';
import { jsonSchemaSchema, type ToolChoice } from '../../../contracts/content.ts';
import type { GenerationRequest } from '../../../contracts/generation.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { nativeRest } from '../native.ts';

const FORMAT = 'openai-chat';

export const chatFormatSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  // llama.cpp, Fireworks and Together: a schema without a name.
  z.looseObject({ type: z.literal('json_object'), schema: jsonSchemaSchema.nullish() }),
  z
    .looseObject({
      type: z.literal('json_schema'),
      schema: jsonSchemaSchema.nullish(),
      json_schema: z
        .looseObject({
          name: z.string().nullish(),
          description: z.string().nullish(),
          schema: jsonSchemaSchema.nullish(),
          strict: z.boolean().nullish(),
        })
        .nullish(),
    })
    .refine(({ schema, json_schema: own }) => own || schema, {
      path: ['json_schema'],
      message: 'expected an object with the schema',
    }),
]);
const UNNAMED = 'answer';

const functionName = z.looseObject({ type: z.literal('function'), function: z.object({ name: z.string() }) });

const functionFields = z.looseObject({
  name: z.string(),
  description: z.string().nullish(),
  parameters: jsonSchemaSchema.nullish(),
  /** Anthropic's name for them. */
  input_schema: jsonSchemaSchema.nullish(),
  strict: z.boolean().nullish(),
});
const functionType = z.literal('function', 'only function tools are supported').optional();
export const chatToolSchema = z.union([
  z.looseObject({ type: functionType, function: functionFields }),
  // As Responses have it, and Anthropic: Cursor sends these.
  functionFields.extend({ type: functionType, function: z.undefined().optional() }),
]);

/** `any` is Mistral's and Anthropic's word. */
const choiceMode = z.enum(['auto', 'none', 'required', 'any']);
export const chatToolChoiceSchema = z.union([
  choiceMode,
  z.looseObject({ type: choiceMode }),
  z.looseObject({ type: z.literal('tool'), name: z.string() }),
  functionName,
  z.looseObject({ type: z.literal('function'), name: z.string(), function: z.undefined().optional() }),
  z.looseObject({
    type: z.literal('allowed_tools'),
    allowed_tools: z.object({
      mode: z.enum(['auto', 'required']),
      tools: z.array(functionName).min(1).max(LIMITS.toolsPerRequest),
    }),
  }),
]);

export function mapChatTool(tool: z.infer<typeof chatToolSchema>) {
  const own = tool.function ?? (tool as z.infer<typeof functionFields>);
  const { name, description, parameters, strict, input_schema: schema } = own;
  const shape = { type: true, function: FUNCTION_SHAPE, ...FUNCTION_SHAPE } as const;
  return {
    name,
    parameters: parameters ?? schema ?? NO_PARAMETERS,
    ...(description === null || description === undefined ? {} : { description }),
    ...(strict === null || strict === undefined ? {} : { strict }),
    ...nativeRest(FORMAT, tool, shape),
  };
}

const FUNCTION_SHAPE = {
  name: true,
  description: true,
  parameters: true,
  input_schema: true,
  strict: true,
} as const;

/** Closed, as strict mode wants it. */
const NO_PARAMETERS = { type: 'object', properties: {}, additionalProperties: false } as const;

export function mapChatToolChoice(choice: z.infer<typeof chatToolChoiceSchema> | null | undefined): {
  readonly toolChoice?: ToolChoice;
} {
  if (choice === null || choice === undefined) return {};
  if (typeof choice === 'string') return { toolChoice: choice === 'any' ? 'required' : choice };
  switch (choice.type) {
    case 'function':
      return { toolChoice: { name: choice.function?.name ?? String(choice['name']) } };
    case 'tool':
      return { toolChoice: { name: choice.name } };
    case 'allowed_tools': {
      const { mode, tools } = choice.allowed_tools;
      return { toolChoice: { allowed: tools.map((tool) => tool.function.name), mode } };
    }
    default:
      return mapChatToolChoice(choice.type);
  }
}

export function mapChatFormat(
  format: z.infer<typeof chatFormatSchema> | null | undefined,
): Pick<GenerationRequest, 'output'> {
  if (format?.type === 'json_object') {
    const { schema } = format;
    return { output: { name: UNNAMED, ...(schema ? { schema, strict: false } : {}) } };
  }
  if (format?.type !== 'json_schema') return {};
  const { name, description, schema, strict } = format.json_schema ?? {};
  return {
    output: {
      name: name || UNNAMED,
      strict: strict ?? false,
      schema: schema ?? format.schema ?? { type: 'object' },
      ...(description === null || description === undefined ? {} : { description }),
    },
  };
}
