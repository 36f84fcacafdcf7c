/** Builds the body of `POST /v2/chat` from a call. Source: Cohere API reference, "Chat with streaming (v2)". */
import type { Cohere } from 'cohere-ai';
import { functionTools, type Message, partsOf, textOfResult } from '../../../contracts/content.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import { asNumberInJson } from '../../../contracts/json.ts';
import { withDeliveredText } from '../continue-instruction.ts';
import {
  allowedTools,
  joinTexts,
  partsOfType,
  plainText,
  resultMedia,
  textOfFile,
  withFailure,
  withOneSystemText,
} from '../message-parts.ts';
import { NO_SEALS, type OpenedSeals, openedOfMessage } from '../opened-seals.ts';
import type { ProviderCall } from '../provider.ts';

export function buildCohereRequest({
  model,
  input,
  maxOutputTokens,
  resume,
  openedSeals = NO_SEALS,
}: ProviderCall): Cohere.V2ChatStreamRequest {
  const { stop, output, reasoning } = input;
  const { system, messages } = withOneSystemText(input);
  const thinks = reasoning !== undefined && (reasoning.thinks !== false || reasoning.effort === 'none');
  return {
    model,
    messages: [
      ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
      ...withDeliveredText(messages, resume).flatMap((message) => toCohereMessages(message, openedSeals)),
    ],
    ...(maxOutputTokens === null ? {} : { maxTokens: maxOutputTokens }),
    ...cohereSampling(input),
    ...(stop === undefined ? {} : { stopSequences: [...stop] }),
    ...cohereTools(input),
    ...(output === undefined
      ? {}
      : {
          responseFormat: {
            type: 'json_object' as const,
            ...(output.schema === undefined ? {} : { jsonSchema: output.schema }),
          },
        }),
    ...(thinks ? { thinking: { type: reasoning.effort === 'none' ? 'disabled' : 'enabled' } } : {}),
  };
}

function cohereSampling(input: GenerationInput): Partial<Cohere.V2ChatStreamRequest> {
  const { temperature, topP, topK, seed, frequencyPenalty, presencePenalty } = input;
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { p: topP }),
    ...(topK === undefined ? {} : { k: topK }),
    ...(seed === undefined ? {} : { seed: asNumberInJson(seed) }),
    ...(frequencyPenalty === undefined ? {} : { frequencyPenalty }),
    ...(presencePenalty === undefined ? {} : { presencePenalty }),
  };
}

/** The format can require some tool but not one by name: to require one, it is the only tool in the request. */
function cohereTools(input: GenerationInput): Partial<Cohere.V2ChatStreamRequest> {
  const tools = functionTools(input.tools);
  if (tools.length === 0) return {};
  const { toolChoice } = input;
  const choice = typeof toolChoice === 'object' ? toolChoice : { mode: toolChoice };
  const required = 'name' in choice ? choice.name : undefined;
  const offered =
    required === undefined ? allowedTools(input) : tools.filter(({ name }) => name === required);
  const isRequired = required !== undefined || ('mode' in choice && choice.mode === 'required');
  return {
    tools: offered.map(({ name, description, parameters }) => ({
      type: 'function' as const,
      function: { name, parameters, ...(description === undefined ? {} : { description }) },
    })),
    ...(isRequired ? { toolChoice: 'REQUIRED' as const } : {}),
    ...(toolChoice === 'none' ? { toolChoice: 'NONE' as const } : {}),
  };
}

/** The thinking or the plan before tool calls. Elsewhere the vendor does not want it back. */
function thoughtsOf(message: Message, text: string, seals: OpenedSeals): Partial<Cohere.AssistantMessage> {
  const values = openedOfMessage(message, 'cohere', seals);
  const join = (field: string) =>
    values.flatMap((value) => (typeof value[field] === 'string' ? [value[field]] : [])).join('');
  const [thinking, toolPlan] = [join('thinking'), join('toolPlan')];
  if (partsOfType(message, 'tool-call').length === 0) return {};
  const content: Cohere.AssistantMessageV2ContentOneItem[] = [
    { type: 'thinking', thinking },
    ...(text === '' ? [] : [{ type: 'text' as const, text }]),
  ];
  return { ...(thinking === '' ? {} : { content }), ...(toolPlan === '' ? {} : { toolPlan }) };
}

function toCohereMessages(message: Message, seals: OpenedSeals): Cohere.ChatMessageV2[] {
  const text = plainText(message);
  if (message.role === 'assistant') {
    const toolCalls = partsOfType(message, 'tool-call').map(({ id, name, arguments: written }) => ({
      id,
      type: 'function' as const,
      function: { name, arguments: written || '{}' },
    }));
    if (text === '' && toolCalls.length === 0) return [];
    return [
      {
        role: 'assistant',
        ...(text === '' ? {} : { content: text }),
        ...thoughtsOf(message, text, seals),
        ...(toolCalls.length === 0 ? {} : { toolCalls }),
      },
    ];
  }
  const results = partsOfType(message, 'tool-result').map(
    (result): Cohere.ChatMessageV2 => ({
      role: 'tool',
      toolCallId: result.id,
      content: textOfResult(withFailure(result)),
    }),
  );
  const content = [...resultMedia(message), ...partsOf(message)].flatMap((part): Cohere.Content[] => {
    const read = part.type === 'file' ? textOfFile(part) : part.type === 'text' ? part.text : null;
    // An empty text is refused.
    if (read !== null) return read === '' ? [] : [{ type: 'text', text: read }];
    return part.type === 'image' ? [{ type: 'image_url', imageUrl: { url: part.url } }] : [];
  });
  if (content.length === 0) return results;
  const texts = content.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  const isText = texts.length === content.length;
  return [...results, { role: 'user', content: isText ? joinTexts(texts, message.role) : content }];
}
