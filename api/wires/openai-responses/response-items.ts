/**
 * The items of a conversation in OpenAI's Responses API: what a request had as its input. Source: the types of the
 * official client, ResponseItem.
 */
import type {
  ResponseCompactionItem,
  ResponseInputItem,
  ResponseItem,
} from 'openai/resources/responses/responses';
import { type NativePart, type Part, partsOf } from '../../../contracts/content.ts';
import type { Message } from '../../../contracts/generation.ts';
import { customToolInput, isOfCustomTool, namespaceOfTool } from '../../../contracts/responses-tools.ts';
import { wireId } from '../wire.ts';
import type { ResponseContext } from './response-object.ts';

/** An item that stands beside messages, without its id. */
type BesideItem = { readonly type: string; readonly [field: string]: unknown };
type InputContent = ResponseInputItem.Message['content'][number];
type OutputContent = Extract<ResponseItem, { type: 'message'; role: 'assistant' }>['content'][number];

export function compactionItem(id: string, sealed: string): ResponseCompactionItem {
  return { id, type: 'compaction', encrypted_content: sealed };
}

/** The input of this response alone, without the conversation before it, as `GET .../input_items` lists it. */
export function listInputItems({ generationId, origin, input }: ResponseContext): ResponseItem[] {
  return input.messages
    .slice(origin.ownFrom)
    .flatMap((message, index) => toResponseItems(message, wireId(`msg_in${index}_`, generationId)));
}

/** In the order of the message, in which reasoning stands before what came of it. */
export function toResponseItems(message: Message, id: string): ResponseItem[] {
  const { role } = message;
  const contentOf: (part: Part) => readonly object[] = role === 'assistant' ? outputContent : inputContent;
  const parts = partsOf(message);
  const first = parts.findIndex((part) => contentOf(part).length > 0);
  let besides = 0;
  return parts.flatMap((part, index): ResponseItem[] => {
    const content = index === first ? parts.flatMap(contentOf) : [];
    const own = content.length === 0 ? [] : [{ id, type: 'message', role, status: COMPLETED, content }];
    const beside = besideItems(part).map((item) => {
      besides += 1;
      return { id: `${id}_${besides - 1}`, ...item };
    });
    return [...own, ...beside] as ResponseItem[];
  });
}

const COMPLETED = 'completed';

function besideItems(part: Part): BesideItem[] {
  if (part.type === 'tool-call') return [{ ...callItem(part), status: COMPLETED }];
  if (part.type === 'tool-result') {
    const { id: call_id, content } = part;
    const output = typeof content === 'string' ? content : content.flatMap(inputContent);
    const type = isOfCustomTool(part) ? 'custom_tool_call_output' : 'function_call_output';
    return [{ type, call_id, output, status: COMPLETED }];
  }
  if (part.type === 'reasoning') {
    const { text, sealed } = part;
    const summary = text === '' ? [] : [{ type: 'summary_text', text }];
    return [{ type: 'reasoning', summary, ...(sealed === undefined ? {} : { encrypted_content: sealed }) }];
  }
  return part.type === 'native' && !isInputPart(part) ? [part.value as BesideItem] : [];
}

/** A call as the client has sent it. */
function callItem(part: Extract<Part, { type: 'tool-call' }>): BesideItem {
  const { id: call_id, arguments: written } = part;
  const namespace = namespaceOfTool(part);
  const named =
    namespace === null ? { name: part.name } : { name: namespace.tool, namespace: namespace.name };
  if (isOfCustomTool(part)) {
    return { type: 'custom_tool_call', call_id, ...named, input: customToolInput(written) };
  }
  return { type: 'function_call', call_id, ...named, arguments: written };
}

function inputContent(part: Part): InputContent[] {
  if (part.type === 'text') return [{ type: 'input_text', text: part.text }];
  if (part.type === 'image') {
    return [{ type: 'input_image', image_url: part.url, detail: (part.detail ?? 'auto') as 'auto' }];
  }
  if (part.type === 'file') {
    const named = part.name === undefined ? {} : { filename: part.name };
    const source = part.url.startsWith('data:') ? { file_data: part.url } : { file_url: part.url };
    return [{ type: 'input_file', ...source, ...named }];
  }
  return part.type === 'native' && isInputPart(part) ? [part.value as unknown as InputContent] : [];
}

function outputContent(part: Part): OutputContent[] {
  if (part.type !== 'text') return [];
  if (part.isRefusal === true) return [{ type: 'refusal', refusal: part.text }];
  return [{ type: 'output_text', text: part.text, annotations: [] }];
}

function isInputPart({ value }: NativePart): boolean {
  return typeof value['type'] === 'string' && value['type'].startsWith('input_');
}
