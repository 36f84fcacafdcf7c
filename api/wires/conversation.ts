/** Builds our messages from the turns of any format. */
import type { Message, Part } from '../../contracts/content.ts';
import type { GenerationRequest } from '../../contracts/generation.ts';

type Role = Message['role'];

export class Conversation {
  readonly #messages: { role: Role; content: string | Part[] }[] = [];

  get messages(): readonly Message[] {
    return this.#messages;
  }

  /** Adds a turn; an empty one is left out. */
  addTurn(role: Role, content: string | readonly Part[]): void {
    if (content.length === 0) return;
    this.#messages.push({ role, content: typeof content === 'string' ? content : [...content] });
  }

  /** Adds a tool call to the assistant's turn before it. */
  addToolCall(call: { readonly id: string; readonly name: string; readonly arguments: string }): void {
    const part: Part = { type: 'tool-call', id: call.id, name: call.name, arguments: call.arguments };
    if (this.#messages.at(-1)?.role === 'assistant') this.#appendToLast(part);
    else this.#messages.push({ role: 'assistant', content: [part] });
  }

  /** Adds a tool result; consecutive results form one user turn. */
  addToolResult({ id, content, isError }: ToolResult): void {
    const part: Part = { type: 'tool-result', id, content, ...(isError === true ? { isError } : {}) };
    const last = this.#messages.at(-1);
    const isAfterResult = typeof last?.content === 'object' && last.content.at(-1)?.type === 'tool-result';
    if (isAfterResult && last?.role === 'user') this.#appendToLast(part);
    else this.#messages.push({ role: 'user', content: [part] });
  }

  #appendToLast(part: Part): void {
    const last = this.#messages.at(-1);
    if (last === undefined) return;
    const parts: Part[] =
      typeof last.content === 'string' ? [{ type: 'text', text: last.content }] : last.content;
    last.content = [...parts, part];
  }
}

interface ToolResult {
  readonly id: string;
  readonly content: string;
  readonly isError?: boolean;
}

/** One field of a request, or none when it has no value: other formats send null for an absent field. */
export function fieldIfPresent<Name extends keyof GenerationRequest>(
  name: Name,
  value: GenerationRequest[Name] | null | undefined,
): Partial<GenerationRequest> {
  return value === null || value === undefined ? {} : { [name]: value };
}

/** Joins several system texts into one, in order. */
export function joinSystemTexts(texts: readonly string[]): Pick<GenerationRequest, 'system'> {
  const system = texts.filter((text) => text !== '').join('\n\n');
  return system === '' ? {} : { system };
}
