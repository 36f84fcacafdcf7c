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
} from '@ai-sdk/provider';
import { type ImagePart, type Message, partsOf } from '../../../contracts/content.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import { continueInstruction } from '../continue-instruction.ts';
import { inlineImage, parsedArguments, partsOfType, toolNames } from '../message-parts.ts';
import type { ProviderCall } from '../provider.ts';

type PartsOf<Role> = Extract<LanguageModelV4Message, { role: Role }>['content'];
type AssistantPart = Exclude<PartsOf<'assistant'>, string>[number];
type UserPart = Exclude<PartsOf<'user'>, string>[number];

/** @param version of the model's interface: V3 passes the data of a file without its type. */
export function buildAiSdkRequest(
  { input, maxOutputTokens, resume }: ProviderCall,
  signal: AbortSignal,
  version: 'v3' | 'v4',
): LanguageModelV4CallOptions {
  const continued = 'deliveredText' in resume ? continueInstruction(resume.deliveredText) : [];
  const { system, temperature, topP, stop, tools, toolChoice, output, reasoning } = input;
  const names = toolNames(input.messages);
  const prompt: LanguageModelV4Prompt = [
    ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
    ...[...input.messages, ...continued].flatMap((message) => toAiSdkMessages(message, names, version)),
  ];
  return {
    prompt,
    maxOutputTokens,
    abortSignal: signal,
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(stop === undefined ? {} : { stopSequences: [...stop] }),
    ...(tools === undefined ? {} : { tools: tools.map(toAiSdkTool) }),
    ...(toolChoice === undefined ? {} : { toolChoice: toAiSdkToolChoice(toolChoice) }),
    ...(output === undefined
      ? {}
      : { responseFormat: { type: 'json' as const, name: output.name, schema: output.schema } }),
    ...(reasoning === undefined ? {} : { reasoning: reasoning.effort }),
  };
}

function toAiSdkTool({ name, description, parameters }: NonNullable<GenerationInput['tools']>[number]) {
  return {
    type: 'function' as const,
    name,
    inputSchema: parameters,
    ...(description === undefined ? {} : { description }),
  };
}

function toAiSdkToolChoice(choice: NonNullable<GenerationInput['toolChoice']>): LanguageModelV4ToolChoice {
  return typeof choice === 'string' ? { type: choice } : { type: 'tool', toolName: choice.name };
}

function toAiSdkMessages(
  message: Message,
  names: ReadonlyMap<string, string>,
  version: 'v3' | 'v4',
): LanguageModelV4Message[] {
  if (message.role === 'assistant') {
    const content = partsOf(message).flatMap((part): AssistantPart[] => {
      if (part.type === 'text') return [{ type: 'text' as const, text: part.text }];
      if (part.type !== 'tool-call') return [];
      const { id, name, arguments: written } = part;
      return [
        { type: 'tool-call' as const, toolCallId: id, toolName: name, input: parsedArguments(written) },
      ];
    });
    return [{ role: 'assistant', content }];
  }
  const results = partsOfType(message, 'tool-result').map(({ id, content, isError }) => ({
    type: 'tool-result' as const,
    toolCallId: id,
    toolName: names.get(id) ?? id,
    output: { type: isError === true ? ('error-text' as const) : ('text' as const), value: content },
  }));
  const content = partsOf(message).flatMap((part): UserPart[] => {
    if (part.type === 'text') return [{ type: 'text' as const, text: part.text }];
    return part.type === 'image' ? [toAiSdkFile(part, version)] : [];
  });
  return [
    ...(results.length === 0 ? [] : [{ role: 'tool' as const, content: results }]),
    ...(content.length === 0 ? [] : [{ role: 'user' as const, content: content }]),
  ];
}

function toAiSdkFile(image: ImagePart, version: 'v3' | 'v4'): LanguageModelV4FilePart {
  const inline = inlineImage(image);
  const data =
    inline === null
      ? { type: 'url' as const, url: new URL(image.url) }
      : { type: 'data' as const, data: inline.data };
  const mediaType = inline?.mediaType ?? 'image/*';
  if (version === 'v4') return { type: 'file', mediaType, data };
  return {
    type: 'file',
    mediaType,
    data: 'url' in data ? data.url : data.data,
  } as unknown as LanguageModelV4FilePart;
}
