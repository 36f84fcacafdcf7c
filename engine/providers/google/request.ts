/** Builds the body of `generateContent` from a call. Source: Gemini API reference, "Generating content". */
import type {
  Content,
  FunctionCallingConfigMode,
  GenerateContentConfig,
  Part,
  ThinkingConfig,
  ThinkingLevel,
} from '@google/genai';
import type { Message, Part as OurPart } from '../../../contracts/content.ts';
import type { ReasoningEffort } from '../../../contracts/generation.ts';
import { continueInstruction } from '../continue-instruction.ts';
import { inlineImage, parsedArguments, resultsFirst, toolNames } from '../message-parts.ts';
import type { ProviderCall } from '../provider.ts';

interface GoogleRequest {
  readonly model: string;
  readonly contents: Content[];
  readonly config: GenerateContentConfig;
}

/** Thinking budget of Gemini 2.5 in tokens; from 3 on, it takes a level. */
const THINKING_TOKENS: Readonly<Record<ReasoningEffort, number>> = {
  low: 1_024,
  medium: 8_192,
  high: 24_576,
};

/**
 * Gemini from 3 on refuses a tool call without the signature of its thoughts. A conversation that started with another
 * model, or that came through us, has none. This value is documented for such calls ("Thought signatures").
 */
const NO_SIGNATURE = 'skip_thought_signature_validator';

export function buildGoogleRequest(call: ProviderCall): GoogleRequest {
  const { model, input, maxOutputTokens, resume } = call;
  const continued = 'deliveredText' in resume ? continueInstruction(resume.deliveredText) : [];
  const { system, temperature, topP, stop, tools, output } = input;
  const names = toolNames(input.messages);
  const thinkingConfig = googleThinking(call);
  return {
    model,
    contents: [...input.messages, ...continued].map((message) => toGoogleContent(message, model, names)),
    config: {
      maxOutputTokens,
      ...(system === undefined ? {} : { systemInstruction: system }),
      ...(temperature === undefined ? {} : { temperature }),
      ...(topP === undefined ? {} : { topP }),
      ...(stop === undefined ? {} : { stopSequences: [...stop] }),
      ...(tools === undefined
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
      ...(output === undefined
        ? {}
        : { responseMimeType: 'application/json', responseJsonSchema: output.schema }),
      ...(thinkingConfig === null ? {} : { thinkingConfig }),
    },
  };
}

function toGoogleContent(message: Message, model: string, names: ReadonlyMap<string, string>): Content {
  return {
    role: message.role === 'assistant' ? 'model' : 'user',
    parts: resultsFirst(message).map((part) => toGooglePart(part, model, names)),
  };
}

function toGooglePart(part: OurPart, model: string, names: ReadonlyMap<string, string>): Part {
  switch (part.type) {
    case 'text':
      return { text: part.text };
    case 'tool-call':
      return {
        functionCall: { id: part.id, name: part.name, args: parsedArguments(part.arguments) },
        ...(/gemini-([3-9]|\d\d)/.test(model) ? { thoughtSignature: NO_SIGNATURE } : {}),
      };
    case 'tool-result':
      return {
        functionResponse: {
          id: part.id,
          name: names.get(part.id) ?? part.id,
          response: part.isError === true ? { error: part.content } : { output: part.content },
        },
      };
    case 'image': {
      const inline = inlineImage(part);
      if (inline !== null) return { inlineData: { mimeType: inline.mediaType, data: inline.data } };
      return { fileData: { fileUri: part.url, mimeType: typeByName(part.url) } };
    }
  }
}

function typeByName(url: string): string {
  const ending = /\.(png|gif|webp)(?:\?|$)/i.exec(url)?.[1]?.toLowerCase();
  return `image/${ending ?? 'jpeg'}`;
}

function toGoogleToolConfig(choice: NonNullable<ProviderCall['input']['toolChoice']>) {
  const mode = (name: 'AUTO' | 'NONE' | 'ANY') => name as FunctionCallingConfigMode;
  if (typeof choice !== 'string') {
    return { functionCallingConfig: { mode: mode('ANY'), allowedFunctionNames: [choice.name] } };
  }
  const modes = { auto: 'AUTO', none: 'NONE', required: 'ANY' } as const;
  return { functionCallingConfig: { mode: mode(modes[choice]) } };
}

function googleThinking({ model, input, resume }: ProviderCall): ThinkingConfig | null {
  if (input.reasoning === undefined) return null;
  const { effort } = input.reasoning;
  const includeThoughts = !('deliveredText' in resume);
  if (/gemini-2\.5/.test(model)) return { includeThoughts, thinkingBudget: THINKING_TOKENS[effort] };
  return { includeThoughts, thinkingLevel: effort.toUpperCase() as ThinkingLevel };
}
