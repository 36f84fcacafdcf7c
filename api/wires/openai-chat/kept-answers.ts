/**
 * Parts that clients keep in the turns of the assistant from the answers of other formats: LangChain and others write
 * thoughts and tool calls there, beside the fields that this format has for them. Servers refuse them.
 */

/** The types of thoughts. */
const THOUGHTS = /^(?:redacted_)?(?:reasoning|thinking)(?:_content|_text)?$/;
/** Calls, which `tool_calls` has too. */
const CALLS = /^(?:tool_use|tool_call|function_call)$/;

export function isThought({ type }: { readonly type: string }): boolean {
  return THOUGHTS.test(type);
}

export function isRepeatedCall({ type }: { readonly type: string }): boolean {
  return CALLS.test(type);
}

/** What can be read of a thought: '' for none. */
export function thoughtIn(part: object): string {
  const { reasoning, thinking, text, summary, content } = part as Readonly<Record<string, unknown>>;
  return textIn(reasoning ?? thinking ?? text ?? summary ?? content);
}

function textIn(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return '';
  return value.map((part: unknown) => textIn(Object(part).text)).join('\n\n');
}
