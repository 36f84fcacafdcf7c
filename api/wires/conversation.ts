/** Builds our messages from the turns of any format. */
import type { Message, Part } from '../../contracts/content.ts';
import type { GenerationRequest } from '../../contracts/generation.ts';

export interface Conversation {
  /** A turn; one without content is left out. */
  add(role: Message['role'], content: string | readonly Part[]): void;
  /** A call belongs to the assistant's turn before it. */
  addCall(call: { readonly id: string; readonly name: string; readonly arguments: string }): void;
  /** Results of one turn of calls make one turn of the user. */
  addResult(result: { readonly id: string; readonly content: string; readonly isError?: boolean }): void;
  readonly messages: readonly Message[];
}

export function createConversation(): Conversation {
  const messages: { role: Message['role']; content: string | Part[] }[] = [];
  const join = (role: Message['role'], part: Part, joins: boolean) => {
    const last = messages.at(-1);
    if (!joins || last?.role !== role) {
      messages.push({ role, content: [part] });
      return;
    }
    const before: Part[] =
      typeof last.content === 'string' ? [{ type: 'text', text: last.content }] : last.content;
    last.content = [...before, part];
  };
  return {
    messages,
    add: (role, content) => {
      if (content.length > 0)
        messages.push({ role, content: typeof content === 'string' ? content : [...content] });
    },
    addCall: ({ id, name, arguments: written }) =>
      join('assistant', { type: 'tool-call', id, name, arguments: written }, true),
    addResult: ({ id, content, isError }) => {
      const last = messages.at(-1)?.content;
      const joins = typeof last === 'object' && last.at(-1)?.type === 'tool-result';
      join('user', { type: 'tool-result', id, content, ...(isError === true ? { isError } : {}) }, joins);
    },
  };
}

/** A field that is there only where it has a value: other formats send null for "not given". */
export function given<Name extends keyof GenerationRequest>(
  name: Name,
  value: GenerationRequest[Name] | null | undefined,
): Partial<GenerationRequest> {
  return value === null || value === undefined ? {} : { [name]: value };
}

/** Several system texts become one, in their order. */
export function systemOf(texts: readonly string[]): Pick<GenerationRequest, 'system'> {
  const system = texts.filter((text) => text !== '').join('\n\n');
  return system === '' ? {} : { system };
}
