/**
 * The steps of a message before the answer that continues it, such as the call of a tool and its result. A page that
 * resumes builds the whole message from the stream, so these come first. Calls are streamed, not announced as
 * available: the page would run its tools again.
 */
import type { Message, Part } from '../../../contracts/content.ts';
import { parseJson } from '../../../contracts/json.ts';
import type { UiChunk } from './project.ts';

/** @param messages the conversation that the answer continues. */
export function earlierSteps(messages: readonly Message[]): UiChunk[] {
  const begins = messages.findLastIndex((message) => message.role === 'user' && !isResults(message)) + 1;
  let texts = 0;
  return messages.slice(begins).flatMap(({ role, content }) => {
    if (role !== 'assistant' && role !== 'user') return [];
    const parts: readonly Part[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
    const chunks = parts.flatMap((part) => {
      texts += 1;
      return chunksOf(part, `earlier-${texts}`);
    });
    return role === 'assistant' ? [{ type: 'start-step' }, ...chunks] : chunks;
  });
}

function isResults({ content }: Message): boolean {
  return typeof content !== 'string' && content.every(({ type }) => type === 'tool-result');
}

function chunksOf(part: Part, id: string): UiChunk[] {
  switch (part.type) {
    case 'text':
      return [
        { type: 'text-start', id },
        { type: 'text-delta', id, delta: part.text },
        { type: 'text-end', id },
      ];
    case 'reasoning': {
      const sealed =
        part.sealed === undefined ? {} : { providerMetadata: { unbroken: { sealed: part.sealed } } };
      return [
        { type: 'reasoning-start', id },
        { type: 'reasoning-delta', id, delta: part.text },
        { type: 'reasoning-end', id, ...sealed },
      ];
    }
    case 'tool-call':
      return [
        { type: 'tool-input-start', toolCallId: part.id, toolName: part.name },
        { type: 'tool-input-delta', toolCallId: part.id, inputTextDelta: part.arguments },
      ];
    case 'tool-result': {
      const text = typeof part.content === 'string' ? part.content : JSON.stringify(part.content);
      return part.isError === true
        ? [{ type: 'tool-output-error', toolCallId: part.id, errorText: text }]
        : [{ type: 'tool-output-available', toolCallId: part.id, output: outputIn(text) }];
    }
    case 'image': {
      const [, mediaType = 'image/*'] = /^data:([^;,]+)/.exec(part.url) ?? [];
      return [{ type: 'file', url: part.url, mediaType }];
    }
    default:
      return [];
  }
}

/** The page has sent JSON as its text. */
function outputIn(text: string): unknown {
  try {
    const value: unknown = parseJson(text);
    return typeof value === 'object' ? value : text;
  } catch {
    return text;
  }
}
