/** Builds the body of `POST /v1/messages` from a call. Source: Anthropic API reference, "Messages". */
import type {
  ContentBlockParam,
  MessageCreateParamsStreaming,
  OutputConfig,
  ThinkingConfigParam,
  ToolChoice,
  ToolUnion,
} from '@anthropic-ai/sdk/resources/messages';
import type { Message, Part } from '../../../contracts/content.ts';
import type { GenerationInput, ReasoningEffort } from '../../../contracts/generation.ts';
import { claudeVersion, plainName } from '../../models/model-families.ts';
import { continueInstruction } from '../continue-instruction.ts';
import { inlineImage, parsedArguments, partsOfType, resultsFirst } from '../message-parts.ts';
import type { ProviderCall } from '../provider.ts';

/** The last version of the API that accepts `temperature` and `top_p`; the SDK sends a later one. */
const SAMPLING_API_VERSION = '2023-06-01';

/** Thinking budget of models up to 4.5 in tokens; later models choose it themselves. */
const THINKING_TOKENS: Readonly<Record<ReasoningEffort, number>> = {
  low: 1_024,
  medium: 4_096,
  high: 16_384,
};
const LEAST_THINKING_TOKENS = 1_024;

export function buildAnthropicRequest(call: ProviderCall): MessageCreateParamsStreaming {
  const { model, input, maxOutputTokens, resume } = call;
  const { system, temperature, topP, stop, tools } = input;
  const thinking = anthropicThinking(call);
  const outputConfig = anthropicOutputConfig(call);
  const body: MessageCreateParamsStreaming & { temperature?: number; top_p?: number } = {
    model,
    messages: [...input.messages, ...continuation(resume)].map((message) => ({
      role: message.role,
      content:
        typeof message.content === 'string' ? message.content : resultsFirst(message).map(toAnthropicBlock),
    })),
    max_tokens: maxOutputTokens,
    stream: true,
    ...(system === undefined ? {} : { system }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(stop === undefined ? {} : { stop_sequences: [...stop] }),
    ...(tools === undefined ? {} : { tools: tools.map(toAnthropicTool) }),
    ...(input.toolChoice === undefined ? {} : { tool_choice: toAnthropicToolChoice(input.toolChoice) }),
    ...(outputConfig === null ? {} : { output_config: outputConfig }),
    ...(thinking === null ? {} : { thinking }),
  };
  return body;
}

export function buildAnthropicHeaders({ temperature, topP }: GenerationInput): Record<string, string> {
  return temperature === undefined && topP === undefined ? {} : { 'anthropic-version': SAMPLING_API_VERSION };
}

function toAnthropicBlock(part: Part): ContentBlockParam {
  if (part.type === 'text') return { type: 'text', text: part.text };
  if (part.type === 'tool-call') {
    return { type: 'tool_use', id: part.id, name: part.name, input: parsedArguments(part.arguments) };
  }
  if (part.type === 'tool-result') {
    const { id, content, isError } = part;
    return { type: 'tool_result', tool_use_id: id, content, ...(isError === true ? { is_error: true } : {}) };
  }
  const inline = inlineImage(part);
  if (inline === null) return { type: 'image', source: { type: 'url', url: part.url } };
  const { data, mediaType } = inline;
  return { type: 'image', source: { type: 'base64', data, media_type: mediaType as 'image/png' } };
}

function toAnthropicTool({
  name,
  description,
  parameters,
}: NonNullable<GenerationInput['tools']>[number]): ToolUnion {
  return {
    name,
    input_schema: { ...parameters, type: 'object' },
    ...(description === undefined ? {} : { description }),
  };
}

function toAnthropicToolChoice(choice: NonNullable<GenerationInput['toolChoice']>): ToolChoice {
  if (typeof choice !== 'string') return { type: 'tool', name: choice.name };
  return choice === 'required' ? { type: 'any' } : { type: choice };
}

function anthropicOutputConfig({ model, input }: ProviderCall): OutputConfig | null {
  const config: OutputConfig = {
    ...(input.output === undefined ? {} : { format: { type: 'json_schema', schema: input.output.schema } }),
    ...(input.reasoning !== undefined && choosesThinkingBudget(model)
      ? { effort: input.reasoning.effort }
      : {}),
  };
  return Object.keys(config).length === 0 ? null : config;
}

/**
 * Thinking is off if it cannot continue: in the continuation of an answer, and after a tool's result, whose tool call
 * would need its signed thoughts.
 */
function anthropicThinking({
  model,
  input,
  maxOutputTokens,
  resume,
}: ProviderCall): ThinkingConfigParam | null {
  const last = input.messages.at(-1);
  if (input.reasoning === undefined || input.reasoning.thinks === false) return null;
  if ('deliveredText' in resume) return null;
  if (last !== undefined && partsOfType(last, 'tool-result').length > 0) return null;
  if (choosesThinkingBudget(model)) return { type: 'adaptive', display: 'summarized' };
  // The budget is part of the output cap, and the answer needs the rest.
  const budget = Math.min(THINKING_TOKENS[input.reasoning.effort], Math.floor(maxOutputTokens * 0.8));
  return budget < LEAST_THINKING_TOKENS ? null : { type: 'enabled', budget_tokens: budget };
}

/** From 4.6 on; a model whose name has no version counts as a new one. */
function choosesThinkingBudget(model: string): boolean {
  return (claudeVersion(plainName(model)) ?? 99) >= 46;
}

function continuation(resume: ProviderCall['resume']): readonly Message[] {
  if (!('deliveredText' in resume)) return [];
  // The API refuses a last turn that is empty or ends in white space.
  const content = resume.deliveredText.trimEnd();
  if (content === '') return [];
  return resume.strategy === 'instruct' ? continueInstruction(content) : [{ role: 'assistant', content }];
}
