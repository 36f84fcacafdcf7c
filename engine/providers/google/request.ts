/** Builds the body of `generateContent` from a call. Source: Gemini API reference, "Generating content". */
import type {
  Content,
  FunctionCallingConfigMode,
  GenerateContentConfig,
  Part,
  ThinkingConfig,
  ThinkingLevel,
} from '@google/genai';
import { z } from 'zod';
import { audioOf } from '../../../contracts/audio.ts';
import {
  functionTools,
  type Message,
  type Part as OurPart,
  type ToolResultPart,
  textOfResult,
} from '../../../contracts/content.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import { asNumberInJson } from '../../../contracts/json.ts';
import { withDeliveredText } from '../continue-instruction.ts';
import {
  inlineData,
  nearestOfThree,
  parsedArguments,
  partsOfType,
  resultMedia,
  resultsFirst,
  toolNames,
  withOneSystemText,
} from '../message-parts.ts';
import { NO_SEALS, type OpenedSeals, openedOfCalls, openedOfPart } from '../opened-seals.ts';
import type { ProviderCall } from '../provider.ts';

interface GoogleRequest {
  readonly model: string;
  readonly contents: Content[];
  readonly config: GenerateContentConfig;
}

interface Conversation {
  readonly model: string;
  /** The names of the called tools, by the ids of their calls. */
  readonly names: ReadonlyMap<string, string>;
  readonly seals: OpenedSeals;
}

/** Thinking budget of Gemini 2.5 in tokens; from 3 on, it takes a level. */
const THINKING_TOKENS = { low: 1_024, medium: 8_192, high: 24_576 } as const;

/** Of Gemini 2.5 Pro. */
const LEAST_THINKING_TOKENS = 128;

/**
 * Gemini from 3 on refuses a tool call without the signature of its thoughts. A conversation that started with another
 * model, or that came through us, has none. This value is documented for such calls ("Thought signatures").
 */
const NO_SIGNATURE = 'skip_thought_signature_validator';

const clientSignature = z.object({ google: z.object({ thought_signature: z.string() }) });

export function buildGoogleRequest(call: ProviderCall): GoogleRequest {
  const { model, input, maxOutputTokens, resume, openedSeals = NO_SEALS } = call;
  const { stop, output } = input;
  const tools = functionTools(input.tools);
  const { system, messages } = withOneSystemText(input);
  const names = toolNames(messages);
  const thinkingConfig = googleThinking(call);
  return {
    model,
    contents: withDeliveredText(messages, resume).flatMap((message) =>
      toGoogleContent(message, { model, names, seals: openedSeals }),
    ),
    config: {
      ...(maxOutputTokens === null ? {} : { maxOutputTokens }),
      ...(system === undefined ? {} : { systemInstruction: system }),
      ...googleSampling(input),
      ...(stop === undefined ? {} : { stopSequences: [...stop] }),
      ...(tools.length === 0
        ? {}
        : {
            tools: [
              {
                functionDeclarations: tools.map(({ name, description, parameters }) => ({
                  name,
                  parametersJsonSchema: parameters,
                  ...(description === undefined ? {} : { description }),
                })),
              },
            ],
          }),
      ...(input.toolChoice === undefined ? {} : { toolConfig: toGoogleToolConfig(input.toolChoice) }),
      ...(output === undefined ? {} : { responseMimeType: 'application/json' }),
      ...(output?.schema === undefined ? {} : { responseJsonSchema: output.schema }),
      ...(input.logprobs === undefined ? {} : { responseLogprobs: true }),
      ...(input.logprobs ? { logprobs: input.logprobs } : {}),
      ...(thinkingConfig === null ? {} : { thinkingConfig }),
    },
  };
}

function googleSampling(input: GenerationInput): Partial<GenerateContentConfig> {
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

/** Media in the results of tools follow them, in the same turn. */
function toGoogleContent(message: Message, context: Conversation): Content[] {
  const own = resultsFirst(message);
  const signatures = signaturesOf(message, context);
  const results = partsOfType(message, 'tool-result').length;
  const ordered = [...own.slice(0, results), ...resultMedia(message), ...own.slice(results)];
  const parts: Part[] = [];
  for (const part of ordered) {
    const signed = openedOfPart(part, 'google', context.seals);
    if (signed !== null) addSignedText(parts, signed);
    else parts.push(...toGooglePart(part, context, signatures));
  }
  return parts.length === 0 ? [] : [{ role: message.role === 'assistant' ? 'model' : 'user', parts }];
}

/** A signature belongs to a part with exactly the text that it was given for: the end of the text before it. */
function addSignedText(parts: Part[], { text, thoughtSignature }: Readonly<Record<string, unknown>>): void {
  const before = parts.at(-1);
  if (typeof text !== 'string' || before?.text?.endsWith(text) !== true) return;
  const rest = before.text.slice(0, before.text.length - text.length);
  parts.splice(-1, 1, ...(rest === '' ? [] : [{ ...before, text: rest }]));
  parts.push({ text, thoughtSignature: String(thoughtSignature) });
}

/** The signatures of the tool calls. Of parallel calls, the model signs the first alone. */
function signaturesOf(message: Message, { model, seals }: Conversation): (callId: string) => object {
  const known = openedOfCalls(message, 'google', seals);
  const own = new Map(partsOfType(message, 'tool-call').map((call) => [call.id, signatureOfClient(call)]));
  const isUnknown = known.size === 0 && [...own.values()].every((signature) => signature === null);
  if (isUnknown) return () => (/gemini-([3-9]|\d\d)/.test(model) ? { thoughtSignature: NO_SIGNATURE } : {});
  return (callId) => {
    const thoughtSignature = own.get(callId);
    return known.get(callId) ?? (thoughtSignature ? { thoughtSignature } : {});
  };
}

/** As clients of this vendor's own chat completions keep it. Source: Gemini API, "OpenAI compatibility". */
function signatureOfClient({ native }: Extract<OurPart, { type: 'tool-call' }>): string | null {
  const { data } = clientSignature.safeParse(native?.fields['extra_content']);
  return data?.google.thought_signature ?? null;
}

function toGooglePart(
  part: OurPart,
  { names }: Conversation,
  signatureOf: (callId: string) => object,
): Part[] {
  switch (part.type) {
    case 'text':
      return [{ text: part.text }];
    case 'tool-call':
      return [
        {
          functionCall: { id: part.id, name: part.name, args: parsedArguments(part.arguments) },
          ...signatureOf(part.id),
        },
      ];
    case 'tool-result':
      return [toGoogleResult(part, names)];
    case 'image':
    case 'file': {
      const inline = inlineData(part);
      if (inline !== null) return [{ inlineData: { mimeType: inline.mediaType, data: inline.data } }];
      const mimeType = part.type === 'image' ? typeByName(part.url) : 'application/pdf';
      return [{ fileData: { fileUri: part.url, mimeType } }];
    }
    case 'native': {
      const audio = audioOf(part);
      return audio === null ? [] : [{ inlineData: { mimeType: audio.mediaType, data: audio.data } }];
    }
    case 'reasoning':
      return [];
  }
}

function toGoogleResult(part: ToolResultPart, names: ReadonlyMap<string, string>): Part {
  const text = textOfResult(part);
  const response = part.isError === true ? { error: text } : { output: text };
  return { functionResponse: { id: part.id, name: names.get(part.id) ?? part.id, response } };
}

function typeByName(url: string): string {
  const ending = /\.(png|gif|webp)(?:\?|$)/i.exec(url)?.[1]?.toLowerCase();
  return `image/${ending ?? 'jpeg'}`;
}

function toGoogleToolConfig(choice: NonNullable<ProviderCall['input']['toolChoice']>) {
  const mode = (name: 'AUTO' | 'NONE' | 'ANY' | 'VALIDATED') => name as FunctionCallingConfigMode;
  if (typeof choice !== 'string') {
    const allowedFunctionNames = 'name' in choice ? [choice.name] : choice.allowed;
    const isRequired = 'name' in choice || choice.mode === 'required';
    return {
      functionCallingConfig: { mode: mode(isRequired ? 'ANY' : 'VALIDATED'), allowedFunctionNames },
    };
  }
  const modes = { auto: 'AUTO', none: 'NONE', required: 'ANY' } as const;
  return { functionCallingConfig: { mode: mode(modes[choice]) } };
}

function googleThinking({ model, input, resume }: ProviderCall): ThinkingConfig | null {
  if (input.reasoning === undefined) return null;
  const { effort } = input.reasoning;
  const nearest = nearestOfThree(effort);
  const isBudget = /gemini-2\.5/.test(model);
  const isPro = /gemini-[\d.]+-pro/.test(model);
  if (nearest === null) {
    // The larger models always think.
    if (isBudget) return { thinkingBudget: isPro ? LEAST_THINKING_TOKENS : 0 };
    return /gemini-[12]/.test(model) ? null : { thinkingLevel: level(isPro ? 'low' : 'minimal') };
  }
  const includeThoughts = !('deliveredText' in resume);
  if (isBudget) return { includeThoughts, thinkingBudget: THINKING_TOKENS[nearest] };
  return { includeThoughts, thinkingLevel: level(effort === 'minimal' && !isPro ? effort : nearest) };
}

function level(name: 'minimal' | 'low' | 'medium' | 'high'): ThinkingLevel {
  return name.toUpperCase() as ThinkingLevel;
}
