/** Builds our messages from the turns of any format. */
import type { Message, NativeFields, Part, ToolResultPart } from '../../contracts/content.ts';
import type { GenerationRequest } from '../../contracts/generation.ts';

type Role = Message['role'];
type ToolCallPart = Extract<Part, { type: 'tool-call' }>;

export class Conversation {
  readonly #messages: { role: Role; content: string | Part[]; native?: NativeFields }[] = [];

  get messages(): readonly Message[] {
    return this.#messages;
  }

  /** Adds a turn; one without content is left out, unless its format says something of it. */
  addTurn(role: Role, content: string | readonly Part[], native?: NativeFields): void {
    if (content.length === 0) return;
    const thoughts = role === 'assistant' ? this.#takeThoughts() : [];
    const parts: readonly Part[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
    this.#messages.push({
      role,
      content: typeof content === 'string' && thoughts.length === 0 ? content : [...thoughts, ...parts],
      ...(native === undefined ? {} : { native }),
    });
  }

  /** Adds a tool call, or what else stands beside text, to the assistant's turn before it. */
  addToAssistant(part: ToolCallPart | Extract<Part, { type: 'native' | 'reasoning' | 'image' }>): void {
    if (this.#messages.at(-1)?.role === 'assistant') this.#appendToLast(part);
    else this.#messages.push({ role: 'assistant', content: [part] });
  }

  addToolCall(call: Omit<ToolCallPart, 'type'>): void {
    this.addToAssistant({ type: 'tool-call', ...call });
  }

  /** Adds a tool result; consecutive results form one user turn. */
  addToolResult({ isError, ...result }: Omit<ToolResultPart, 'type'>): void {
    const part: Part = { type: 'tool-result', ...result, ...(isError === true ? { isError } : {}) };
    const last = this.#messages.at(-1);
    const isAfterResult = typeof last?.content === 'object' && last.content.at(-1)?.type === 'tool-result';
    if (isAfterResult && last?.role === 'user') this.#appendToLast(part);
    else this.#messages.push({ role: 'user', content: [part] });
  }

  /** The thoughts before this turn are part of it, though some formats have them as items beside messages. */
  #takeThoughts(): readonly Part[] {
    const last = this.#messages.at(-1);
    if (last?.role !== 'assistant' || typeof last.content === 'string') return [];
    const isThought = (part: Part) =>
      part.type === 'reasoning' || (part.type === 'native' && part.isReasoning === true);
    if (!last.content.every(isThought)) return [];
    this.#messages.pop();
    return last.content;
  }

  #appendToLast(part: Part): void {
    const last = this.#messages.at(-1);
    if (last === undefined) return;
    const parts: Part[] =
      typeof last.content === 'string' ? [{ type: 'text', text: last.content }] : last.content;
    parts.push(part);
    last.content = parts;
  }
}

/** One field of a request, or none when it has no value: other formats send null for an absent field. */
export function fieldIfPresent<Name extends keyof GenerationRequest>(
  name: Name,
  value: GenerationRequest[Name] | null | undefined,
): Partial<GenerationRequest> {
  return value === null || value === undefined ? {} : { [name]: value };
}

/** null for -1 and 0, by which the clients of vLLM and OpenRouter turn it off: as if it were not set. */
export function topKOf(value: number | null | undefined): number | null {
  return value === null || value === undefined || value <= 0 ? null : value;
}

/** Joins several system texts into one, in order. */
export function joinSystemTexts(texts: readonly string[]): Pick<GenerationRequest, 'system'> {
  const system = texts.filter((text) => text !== '').join('\n\n');
  return system === '' ? {} : { system };
}
