/** Builds the body of `POST /v2/chat` from a call. Source: Cohere API reference, "Chat with streaming (v2)". */
import type { Cohere } from 'cohere-ai';
import { type Message, partsOf } from '../../../contracts/content.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import { continueInstruction } from '../continue-instruction.ts';
import { partsOfType, plainText } from '../message-parts.ts';
import type { ProviderCall } from '../provider.ts';

export function buildCohereRequest({
  model,
  input,
  maxOutputTokens,
  resume,
}: ProviderCall): Cohere.V2ChatStreamRequest {
  const continued = 'deliveredText' in resume ? continueInstruction(resume.deliveredText) : [];
  const { system, temperature, topP, stop, output, reasoning } = input;
  return {
    model,
    messages: [
      ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
      ...[...input.messages, ...continued].flatMap(toCohereMessages),
    ],
    maxTokens: maxOutputTokens,
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { p: topP }),
    ...(stop === undefined ? {} : { stopSequences: [...stop] }),
    ...cohereTools(input),
    ...(output === undefined
      ? {}
      : { responseFormat: { type: 'json_object' as const, jsonSchema: output.schema } }),
    ...(reasoning === undefined || reasoning.thinks === false
      ? {}
      : { thinking: { type: 'enabled' as const } }),
  };
}

/** The format can require some tool but not one by name: to require one, it is the only tool in the request. */
function cohereTools({ tools, toolChoice }: GenerationInput): Partial<Cohere.V2ChatStreamRequest> {
  if (tools === undefined) return {};
  const required = typeof toolChoice === 'object' ? toolChoice.name : undefined;
  const offered = required === undefined ? tools : tools.filter(({ name }) => name === required);
  const isRequired = required !== undefined || toolChoice === 'required';
  return {
    tools: offered.map(({ name, description, parameters }) => ({
      type: 'function' as const,
      function: { name, parameters, ...(description === undefined ? {} : { description }) },
    })),
    ...(isRequired ? { toolChoice: 'REQUIRED' as const } : {}),
    ...(toolChoice === 'none' ? { toolChoice: 'NONE' as const } : {}),
  };
}

function toCohereMessages(message: Message): Cohere.ChatMessageV2[] {
  const text = plainText(message);
  if (message.role === 'assistant') {
    const toolCalls = partsOfType(message, 'tool-call').map(({ id, name, arguments: written }) => ({
      id,
      type: 'function' as const,
      function: { name, arguments: written },
    }));
    return [
      {
        role: 'assistant',
        ...(text === '' ? {} : { content: text }),
        ...(toolCalls.length === 0 ? {} : { toolCalls }),
      },
    ];
  }
  const results = partsOfType(message, 'tool-result').map(
    ({ id, content }): Cohere.ChatMessageV2 => ({ role: 'tool', toolCallId: id, content }),
  );
  const content = partsOf(message).flatMap((part): Cohere.Content[] => {
    if (part.type === 'text') return [{ type: 'text', text: part.text }];
    return part.type === 'image' ? [{ type: 'image_url', imageUrl: { url: part.url } }] : [];
  });
  if (content.length === 0) return results;
  const hasImage = content.some(({ type }) => type === 'image_url');
  return [...results, { role: 'user', content: hasImage ? content : text }];
}
