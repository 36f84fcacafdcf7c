/**
 * Builds the options of an AI SDK model from a call. Source: the types of `@ai-sdk/provider`,
 * LanguageModelV4CallOptions.
 */
import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FilePart,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ToolChoice,
  SharedV4ProviderOptions,
} from '@ai-sdk/provider';
import {
  type FilePart,
  type ImagePart,
  type Message,
  partsOf,
  type Tool,
  type ToolChoice,
  textOfResult,
} from '../../../contracts/content.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import { asNumberInJson } from '../../../contracts/json.ts';
import { withDeliveredText } from '../continue-instruction.ts';
import {
  allowedTools,
  inlineData,
  parsedArguments,
  partsOfType,
  resultMedia,
  toolNames,
  withOneSystemText,
} from '../message-parts.ts';
import { NO_SEALS, type OpenedSeals, openedOfCalls, openedOfPart } from '../opened-seals.ts';
import type { ProviderCall, ReasoningData } from '../provider.ts';

type PartsOf<Role> = Extract<LanguageModelV4Message, { role: Role }>['content'];
type AssistantPart = Exclude<PartsOf<'assistant'>, string>[number];
type UserPart = Exclude<PartsOf<'user'>, string>[number];

/** @param version of the model's interface: V3 passes the data of a file without its type. */
export function buildAiSdkRequest(
  { input, maxOutputTokens, resume, openedSeals = NO_SEALS }: ProviderCall,
  signal: AbortSignal,
  version: 'v3' | 'v4',
): LanguageModelV4CallOptions {
  const { stop, toolChoice, output, reasoning } = input;
  const { system, messages } = withOneSystemText(input);
  const tools = allowedTools(input);
  const names = toolNames(messages);
  const prompt: LanguageModelV4Prompt = [
    ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
    ...withDeliveredText(messages, resume).flatMap((message) =>
      toAiSdkMessages(message, { names, version, seals: openedSeals }),
    ),
  ];
  return {
    prompt,
    ...(maxOutputTokens === null ? {} : { maxOutputTokens }),
    abortSignal: signal,
    ...aiSdkSampling(input),
    ...(stop === undefined ? {} : { stopSequences: [...stop] }),
    ...(tools.length === 0 ? {} : { tools: tools.map(toAiSdkTool) }),
    ...(toolChoice === undefined ? {} : { toolChoice: toAiSdkToolChoice(toolChoice) }),
    ...(output === undefined
      ? {}
      : {
          responseFormat: {
            type: 'json' as const,
            name: output.name,
            ...(output.description === undefined ? {} : { description: output.description }),
            ...(output.schema === undefined ? {} : { schema: output.schema }),
          },
        }),
    ...(reasoning === undefined
      ? {}
      : { reasoning: reasoning.effort === 'max' ? 'xhigh' : reasoning.effort }),
  };
}

function aiSdkSampling(input: GenerationInput): Partial<LanguageModelV4CallOptions> {
  const { temperature, topP, topK, seed, frequencyPenalty, presencePenalty } = input;
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(topK === undefined ? {} : { topK }),
    ...(seed === undefined ? {} : { seed: asNumberInJson(seed) }),
    ...(frequencyPenalty === undefined ? {} : { frequencyPenalty }),
    ...(presencePenalty === undefined ? {} : { presencePenalty }),
  };
}

function toAiSdkTool({ name, description, parameters, strict }: Tool) {
  return {
    type: 'function' as const,
    name,
    inputSchema: parameters,
    ...(description === undefined ? {} : { description }),
    ...(strict === undefined ? {} : { strict }),
  };
}

function toAiSdkToolChoice(choice: ToolChoice): LanguageModelV4ToolChoice {
  if (typeof choice === 'string') return { type: choice };
  return 'name' in choice ? { type: 'tool', toolName: choice.name } : { type: choice.mode };
}

interface Conversation {
  readonly names: ReadonlyMap<string, string>;
  readonly version: 'v3' | 'v4';
  readonly seals: OpenedSeals;
}

/** What a package said of a part goes back as options of it. */
function optionsOf(thoughts: ReasoningData['value'] | undefined) {
  const metadata = thoughts?.['providerMetadata'];
  return metadata === undefined ? {} : { providerOptions: metadata as SharedV4ProviderOptions };
}

function toAiSdkMessages(
  message: Message,
  { names, version, seals }: Conversation,
): LanguageModelV4Message[] {
  const ofCalls = openedOfCalls(message, 'ai-sdk', seals);
  if (message.role === 'assistant') {
    const content = partsOf(message).flatMap((part): AssistantPart[] => {
      if (part.type === 'text') return [{ type: 'text' as const, text: part.text }];
      const thoughts = openedOfPart(part, 'ai-sdk', seals);
      if (thoughts !== null) {
        return [{ type: 'reasoning' as const, text: String(thoughts['text']), ...optionsOf(thoughts) }];
      }
      if (part.type !== 'tool-call') return [];
      const { id, name, arguments: written } = part;
      const call = { toolCallId: id, toolName: name, input: parsedArguments(written) };
      return [{ type: 'tool-call' as const, ...call, ...optionsOf(ofCalls.get(id)) }];
    });
    return content.length === 0 ? [] : [{ role: 'assistant', content }];
  }
  const results = partsOfType(message, 'tool-result').map((result) => ({
    type: 'tool-result' as const,
    toolCallId: result.id,
    toolName: names.get(result.id) ?? result.id,
    output: {
      type: result.isError === true ? ('error-text' as const) : ('text' as const),
      value: textOfResult(result),
    },
  }));
  const content = [...resultMedia(message), ...partsOf(message)].flatMap((part): UserPart[] => {
    if (part.type === 'text') return [{ type: 'text' as const, text: part.text }];
    return part.type === 'image' || part.type === 'file' ? [toAiSdkFile(part, version)] : [];
  });
  return [
    ...(results.length === 0 ? [] : [{ role: 'tool' as const, content: results }]),
    ...(content.length === 0 ? [] : [{ role: 'user' as const, content: content }]),
  ];
}

function toAiSdkFile(part: ImagePart | FilePart, version: 'v3' | 'v4'): LanguageModelV4FilePart {
  const inline = inlineData(part);
  const data =
    inline === null
      ? { type: 'url' as const, url: new URL(part.url) }
      : { type: 'data' as const, data: inline.data };
  const mediaType = inline?.mediaType ?? (part.type === 'image' ? 'image/*' : 'application/pdf');
  if (version === 'v4') return { type: 'file', mediaType, data };
  return {
    type: 'file',
    mediaType,
    data: 'url' in data ? data.url : data.data,
  } as unknown as LanguageModelV4FilePart;
}
