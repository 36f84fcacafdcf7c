/** Builds the body of `generateContent` from a call. Source: Gemini API reference, "Generating content". */
import type { Content, FunctionCallingConfigMode, GenerateContentConfig, Part } from '@google/genai';
import { z } from 'zod';
import { audioOf } from '../../../contracts/audio.ts';
import {
  functionTools,
  type Message,
  mediaOfResult,
  type Part as OurPart,
  type ToolResultPart,
  textOfResult,
} from '../../../contracts/content.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import { asNumberInJson } from '../../../contracts/json.ts';
import { withDeliveredText } from '../continue-instruction.ts';
import {
  parsedArguments,
  partsOfType,
  resultMedia,
  resultsFirst,
  toolNames,
  withOneSystemText,
} from '../message-parts.ts';
import { NO_SEALS, type OpenedSeals, openedOfCalls, openedOfPart } from '../opened-seals.ts';
import type { ProviderCall } from '../provider.ts';
import { toGoogleMedia } from './media.ts';
import { googleThinking, IS_OLD_GEMMA } from './thinking.ts';

export interface GoogleRequest {
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

/**
 * Gemini from 3 on refuses a tool call without the signature of its thoughts. A conversation that started with another
 * model, or that came through us, has none. This value is documented for such calls ("Thought signatures").
 */
const NO_SIGNATURE = 'skip_thought_signature_validator';

/** From Gemini 3 on. */
const IS_THIRD = /gemini-([3-9]|\d\d)/;

/** What a response of a function can hold. Source: Gemini API, "Multimodal function responses". */
const NESTED_TYPES = /^(?:image\/(?:png|jpeg|webp)|application\/pdf|text\/plain)$/;

/** What the user says first, where the conversation of a client begins with a call. */
const OPENING = 'Begin.';

const clientSignature = z.object({ google: z.object({ thought_signature: z.string() }) });

export function buildGoogleRequest(call: ProviderCall): GoogleRequest {
  const { model, input, maxOutputTokens, resume, openedSeals = NO_SEALS } = call;
  const { stop, output } = input;
  const tools = functionTools(input.tools);
  const { system, messages } = googleConversation(call);
  const names = toolNames(messages);
  const thinkingConfig = googleThinking(call);
  return {
    model,
    contents: withContents(
      inTurns(
        withDeliveredText(messages, resume).flatMap((message) =>
          toGoogleContent(message, { model, names, seals: openedSeals }),
        ),
      ),
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
      // Without functions, it would be refused.
      ...(input.toolChoice === undefined || tools.length === 0
        ? {}
        : { toolConfig: toGoogleToolConfig(input.toolChoice) }),
      ...(output === undefined ? {} : { responseMimeType: 'application/json' }),
      ...(output?.schema === undefined ? {} : { responseJsonSchema: output.schema }),
      ...(input.logprobs === undefined ? {} : { responseLogprobs: true }),
      ...(input.logprobs ? { logprobs: input.logprobs } : {}),
      ...(thinkingConfig === null ? {} : { thinkingConfig }),
    },
  };
}

/** The vendor refuses an empty text. Where a conversation has nothing else, it says so; its SDK sends none without. */
function withContents(contents: Content[]): Content[] {
  return contents.length > 0 ? contents : [{ role: 'user', parts: [{ text: '' }] }];
}

/** For models without a system text, it begins what the user says. */
function googleConversation({ model, input }: ProviderCall): ReturnType<typeof withOneSystemText> {
  const { system, messages } = withOneSystemText(input);
  if (system === undefined || !IS_OLD_GEMMA.test(model)) return { system, messages };
  return { system: undefined, messages: [{ role: 'user', content: system }, ...messages] };
}

/**
 * Neighbouring turns of the model as one, and a turn of the user before it if it begins with a call: the vendor refuses
 * a call that does not follow the user or a response of a function.
 */
function inTurns(contents: readonly Content[]): Content[] {
  const turns: Content[] = [];
  for (const content of contents) {
    const last = turns.at(-1);
    if (content.role === 'model' && last?.role === 'model') last.parts?.push(...(content.parts ?? []));
    else turns.push({ ...content, parts: [...(content.parts ?? [])] });
  }
  const [first] = turns;
  const isCalled = first?.role === 'model' && first.parts?.some(({ functionCall }) => functionCall) === true;
  return isCalled ? [{ role: 'user', parts: [{ text: OPENING }] }, ...turns] : turns;
}

function googleSampling(input: GenerationInput): Partial<GenerateContentConfig> {
  const { temperature, topP, topK, seed, frequencyPenalty, presencePenalty } = input;
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(topK === undefined ? {} : { topK }),
    ...(seed === undefined ? {} : { seed: asNumberInJson(seed) }),
    // Most models refuse the fields, and clients send what changes nothing.
    ...(frequencyPenalty ? { frequencyPenalty } : {}),
    ...(presencePenalty ? { presencePenalty } : {}),
  };
}

/** Media in the results of tools are a part of them, or else follow them in the same turn. */
function toGoogleContent(message: Message, context: Conversation): Content[] {
  const own = resultsFirst(message);
  const signatures = signaturesOf(message, context);
  const results = partsOfType(message, 'tool-result').length;
  const media = resultMedia(message).filter((part) => nestedMedia(part, context.model) === null);
  const ordered = [...own.slice(0, results), ...media, ...own.slice(results)];
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
  if (isUnknown) return () => (IS_THIRD.test(model) ? { thoughtSignature: NO_SIGNATURE } : {});
  return (callId) => {
    const thoughtSignature = own.get(callId);
    return known.get(callId) ?? (thoughtSignature ? { thoughtSignature } : {});
  };
}

/** The same request where the vendor refuses its signatures: another account, or the vendor's other API, gave them. */
export function withoutSignatures(request: GoogleRequest): GoogleRequest | null {
  let isSigned = false;
  const unsigned = ({ thoughtSignature, ...part }: Part): Part => {
    if (thoughtSignature === undefined || thoughtSignature === NO_SIGNATURE) {
      return thoughtSignature === undefined ? part : { ...part, thoughtSignature };
    }
    isSigned = true;
    return part.functionCall === undefined ? part : { ...part, thoughtSignature: NO_SIGNATURE };
  };
  const contents = request.contents.map((content) => ({
    ...content,
    parts: (content.parts ?? []).map(unsigned).filter((part) => Object.keys(part).length > 0),
  }));
  return isSigned ? { ...request, contents } : null;
}

/** As clients of this vendor's own chat completions keep it. Source: Gemini API, "OpenAI compatibility". */
function signatureOfClient({ native }: Extract<OurPart, { type: 'tool-call' }>): string | null {
  const { data } = clientSignature.safeParse(native?.fields['extra_content']);
  return data?.google.thought_signature ?? null;
}

function toGooglePart(
  part: OurPart,
  { model, names }: Conversation,
  signatureOf: (callId: string) => object,
): Part[] {
  switch (part.type) {
    case 'text':
      return part.text === '' ? [] : [{ text: part.text }];
    case 'tool-call':
      return [
        {
          functionCall: { id: part.id, name: part.name, args: parsedArguments(part.arguments) },
          ...signatureOf(part.id),
        },
      ];
    case 'tool-result':
      return [toGoogleResult(part, names, model)];
    case 'image':
    case 'file':
      return [toGoogleMedia(part)];
    case 'native': {
      const audio = audioOf(part);
      return audio === null ? [] : [{ inlineData: { mimeType: audio.mediaType, data: audio.data } }];
    }
    case 'reasoning':
      return [];
  }
}

function toGoogleResult(part: ToolResultPart, names: ReadonlyMap<string, string>, model: string): Part {
  const text = textOfResult(part);
  const response = part.isError === true ? { error: text } : { output: text };
  const parts = mediaOfResult(part).flatMap((own) => nestedMedia(own, model) ?? []);
  const name = names.get(part.id) ?? part.id;
  return { functionResponse: { id: part.id, name, response, ...(parts.length === 0 ? {} : { parts }) } };
}

/** Gemini from 3 on wants the media of a function in its response; null: it takes this part only beside it. */
function nestedMedia(part: OurPart, model: string): Pick<Part, 'inlineData'> | null {
  if (!IS_THIRD.test(model) || (part.type !== 'image' && part.type !== 'file')) return null;
  const { inlineData } = toGoogleMedia(part);
  return NESTED_TYPES.test(inlineData?.mimeType ?? '') && inlineData !== undefined ? { inlineData } : null;
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
