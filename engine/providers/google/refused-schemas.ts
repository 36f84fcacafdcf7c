/**
 * Schemas that Gemini does not serve: bounds of lists and numbers, and formats of texts, add up to "too many states",
 * which the vendor mostly does not even name. What says no more than the name of a type is not the cause, so the same
 * request leaves once more with the bounds as words. Answers are checked by the whole schema in any case, and a request
 * that is refused is not billed.
 */
import { isJsonObject } from '../../../contracts/json.ts';
import { mapSchemas } from '../../models/rules/tool-schema.ts';
import { badRequestWords } from '../http-errors.ts';
import type { GoogleRequest } from './request.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Said alone, the second also concerns other faults, such as a document that cannot be read. */
const REFUSED = /too many states for serving|"message":\s*"Request contains an invalid argument\.?"/i;
const BOUNDS = ['minItems', 'maxItems', 'minimum', 'maximum', 'minLength', 'maxLength', 'pattern', 'format'];

export function refusesSchema(error: unknown): boolean {
  return REFUSED.test(badRequestWords(error) ?? '');
}

/** null if no schema of the request has any. */
export function withoutBounds(request: GoogleRequest): GoogleRequest | null {
  const { responseJsonSchema: output, tools } = request.config;
  const config = {
    ...request.config,
    ...(isJsonObject(output) ? { responseJsonSchema: inWords(output) } : {}),
    ...(tools === undefined ? {} : { tools: tools.map(withToolInWords) }),
  };
  const isSame = JSON.stringify(config) === JSON.stringify(request.config);
  return isSame ? null : { ...request, config };
}

function withToolInWords(tool: NonNullable<GoogleRequest['config']['tools']>[number]) {
  if (!('functionDeclarations' in tool)) return tool;
  return {
    ...tool,
    functionDeclarations: (tool.functionDeclarations ?? []).map((own) =>
      isJsonObject(own.parametersJsonSchema)
        ? { ...own, parametersJsonSchema: inWords(own.parametersJsonSchema) }
        : own,
    ),
  };
}

function inWords(value: Schema): Schema {
  const schema = mapSchemas(value, inWords);
  const bounds = Object.entries(schema).filter(([name]) => BOUNDS.includes(name));
  if (bounds.length === 0) return schema;
  const words = bounds.map(([name, bound]) => `${name}: ${JSON.stringify(bound)}`).join(', ');
  const rest = Object.entries(schema).filter(([name]) => !BOUNDS.includes(name));
  const before = typeof schema['description'] === 'string' ? `${schema['description']}\n\n` : '';
  return { ...Object.fromEntries(rest), description: `${before}{${words}}` };
}
