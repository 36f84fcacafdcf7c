/**
 * Schemas that are too much for Claude. It compiles all strict tools of a request and the schema of its answer into one
 * grammar, whose limits differ by model: a number of strict tools, of optional properties, and of unions, as strict
 * schemas of other vendors have one for each nullable property. The same request leaves once more with tools that are
 * not strict, and, if that is not it, with the schema of the answer in words: answers are checked by it in any case.
 * The vendor bills nothing for a request that it refuses. Source: Anthropic, "Structured outputs", and its errors.
 */
import type { MessageCreateParamsStreaming, TextBlockParam } from '@anthropic-ai/sdk/resources/messages';

type Body = MessageCreateParamsStreaming;

const REFUSED =
  /compiled grammar is too large|too complex for compilation|too many (?:strict tools|(?:optional )?parameters)/i;
const IN_WORDS = 'Answer with one JSON object and nothing else. It must fit this JSON schema:';

/** null where the words say nothing of it, or nothing is compiled. */
export function withoutGrammar(words: string, body: Body): Body | null {
  if (!REFUSED.test(words)) return null;
  const { tools = [], output_config: config } = body;
  if (tools.some((tool) => 'strict' in tool && tool.strict === true)) {
    return { ...body, tools: tools.map((tool) => ('strict' in tool ? { ...tool, strict: false } : tool)) };
  }
  if (!config?.format) return null;
  const { format, ...others } = config;
  const { output_config: _, ...rest } = body;
  const text = `${IN_WORDS}\n${JSON.stringify(format.schema)}`;
  return {
    ...rest,
    ...(Object.keys(others).length === 0 ? {} : { output_config: others }),
    system: withText(body.system, text),
  };
}

function withText(system: Body['system'], text: string): string | TextBlockParam[] {
  if (Array.isArray(system)) return [...system, { type: 'text', text }];
  return system === undefined ? text : `${system}\n\n${text}`;
}
