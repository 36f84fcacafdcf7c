/** Builds the body of `POST /v1/responses` from a call. Source: OpenAI API reference, "Create a model response". */
import type {
  ResponseCreateParamsStreaming,
  ResponseInputContent,
  ResponseInputItem,
} from 'openai/resources/responses/responses';
import type { Message } from '../../../contracts/content.ts';
import { continueInstruction } from '../continue-instruction.ts';
import { plainText, resultsFirst } from '../message-parts.ts';
import type { ProviderCall } from '../provider.ts';

/** @param isBackground whether the response runs at the provider without us, so that we can reattach to it. */
export function buildOpenAiResponseRequest(
  { model, input, maxOutputTokens, resume }: ProviderCall,
  { isBackground }: { readonly isBackground: boolean },
): ResponseCreateParamsStreaming {
  const isContinued = 'deliveredText' in resume;
  const continued = isContinued ? continueInstruction(resume.deliveredText) : [];
  const { system, temperature, topP, tools, toolChoice, output, reasoning } = input;
  return {
    model,
    input: [...input.messages, ...continued].flatMap(toOpenAiResponseItems),
    max_output_tokens: maxOutputTokens,
    stream: true,
    ...(isBackground ? { background: true, store: true } : { store: false }),
    ...(system === undefined ? {} : { instructions: system }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(tools === undefined
      ? {}
      : {
          tools: tools.map(({ name, description, parameters }) => ({
            type: 'function' as const,
            name,
            parameters,
            strict: false,
            ...(description === undefined ? {} : { description }),
          })),
        }),
    ...(toolChoice === undefined
      ? {}
      : {
          tool_choice:
            typeof toolChoice === 'string'
              ? toolChoice
              : { type: 'function' as const, name: toolChoice.name },
        }),
    ...(output === undefined
      ? {}
      : { text: { format: { type: 'json_schema' as const, strict: true, ...output } } }),
    ...(reasoning === undefined
      ? {}
      : { reasoning: { effort: reasoning.effort, ...(isContinued ? {} : { summary: 'auto' as const }) } }),
  };
}

/** One message becomes several items: tool calls and results are items beside the messages, in their order. */
function toOpenAiResponseItems(message: Message): ResponseInputItem[] {
  const parts = resultsFirst(message);
  if (parts.every(({ type }) => type === 'text'))
    return [{ role: message.role, content: plainText(message) }];
  const items: ResponseInputItem[] = [];
  let content: ResponseInputContent[] = [];
  const close = () => {
    if (content.length > 0) items.push({ role: 'user', content });
    content = [];
  };
  for (const part of parts) {
    if (part.type === 'image') content.push({ type: 'input_image', image_url: part.url, detail: 'auto' });
    else if (part.type === 'text' && message.role === 'user') {
      content.push({ type: 'input_text', text: part.text });
    } else {
      close();
      if (part.type === 'text') items.push({ role: 'assistant', content: part.text });
      else if (part.type === 'tool-call') {
        items.push({ type: 'function_call', call_id: part.id, name: part.name, arguments: part.arguments });
      } else items.push({ type: 'function_call_output', call_id: part.id, output: part.content });
    }
  }
  close();
  return items;
}
