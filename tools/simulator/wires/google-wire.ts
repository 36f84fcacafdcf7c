/** Google's `generateContent` and `streamGenerateContent`. A call ends when its reader disconnects. */
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Message, Part } from '../../../contracts/content.ts';
import { isJson } from '../../../contracts/json.ts';
import type { SimulatedCall, SimulatedUsage } from '../calls.ts';
import { probabilitiesOf, type TokenProbability } from '../log-probabilities.ts';
import { GOOGLE_RULES, signedText } from '../rules/google-rules.ts';
import type { AnswerWriter, Ending, ErrorKind, Wire } from '../serve-call.ts';
import { signThought } from '../thought-signatures.ts';
import type { AnswerToken } from '../true-text.ts';
import { generatedArguments, generatedText } from './generated-parts.ts';
import { filePart, imagePart, messageOf, textPart } from './read-parts.ts';

const partSchema = z.object({
  text: z.string().optional(),
  inlineData: z.object({ mimeType: z.string(), data: z.string() }).optional(),
  fileData: z.object({ fileUri: z.string(), mimeType: z.string().optional() }).optional(),
  functionCall: z.object({ id: z.string().optional(), name: z.string(), args: z.unknown() }).optional(),
  functionResponse: z
    .object({ id: z.string().optional(), name: z.string(), response: z.record(z.string(), z.unknown()) })
    .optional(),
});
const contentSchema = z.object({ role: z.enum(['user', 'model']).optional(), parts: z.array(partSchema) });
const requestSchema = z.object({
  contents: z.array(contentSchema).min(1),
  systemInstruction: z.object({ parts: z.array(z.object({ text: z.string() })) }).optional(),
  tools: z
    .array(
      z.object({
        functionDeclarations: z.array(
          z.object({ name: z.string(), parametersJsonSchema: z.record(z.string(), z.unknown()) }),
        ),
      }),
    )
    .optional(),
  toolConfig: z
    .object({
      functionCallingConfig: z.object({
        mode: z.string(),
        allowedFunctionNames: z.array(z.string()).optional(),
      }),
    })
    .optional(),
  generationConfig: z
    .object({
      maxOutputTokens: z.int().optional(),
      responseLogprobs: z.boolean().optional(),
      logprobs: z.int().optional(),
      responseMimeType: z.string().optional(),
      responseJsonSchema: z.record(z.string(), z.unknown()).optional(),
      thinkingConfig: z.object({ includeThoughts: z.boolean().optional() }).optional(),
    })
    .optional(),
});

const PATH = /^\/v1(?:beta)?\/models\/([^/:]+):(streamGenerateContent|generateContent)$/;

const FINISH = {
  stop: 'STOP',
  length: 'MAX_TOKENS',
  'tool-calls': 'STOP',
  'content-filter': 'SAFETY',
  refusal: 'PROHIBITED_CONTENT',
} as const satisfies Record<Ending['reason'], string>;
const STATUS_NAMES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
};

export const googleWire: Wire = {
  name: 'google',
  newId: () => randomBytes(12).toString('base64url'),
  owns: (path) => PATH.test(path),
  rules: GOOGLE_RULES,
  refusal: (status, { message }) => errorBody(status, 'plain', message),
  brokenBody: 'Invalid JSON payload received. Unexpected token.',
  read(path, json) {
    const [, model = '', method] = PATH.exec(path) ?? [];
    const body = requestSchema.parse(json);
    const { responseJsonSchema, responseMimeType } = body.generationConfig ?? {};
    const wantsJson = responseMimeType === 'application/json';
    const schema = responseJsonSchema ?? (wantsJson ? { type: 'object' } : undefined);
    return {
      model,
      input: {
        system: body.systemInstruction?.parts.map(({ text }) => text).join('\n\n'),
        messages: body.contents.flatMap(toMessages),
        tools: body.tools?.flatMap(({ functionDeclarations }) =>
          functionDeclarations.map(({ name, parametersJsonSchema }) => ({
            name,
            parameters: parametersJsonSchema,
          })),
        ),
        toolChoice: toToolChoice(body.toolConfig),
        output: schema === undefined ? undefined : { schema },
        thinks: body.generationConfig?.thinkingConfig?.includeThoughts === true,
      },
      maxTokens: body.generationConfig?.maxOutputTokens,
      logprobs: logprobsIn(body.generationConfig),
      isStream: method === 'streamGenerateContent',
    };
  },
  error: errorBody,
  writer: (call, response) => new GoogleWriter(call, response),
  whole(call, { reason, usage }) {
    const text = generatedText(call, 'text');
    const calls = call.toolCalls.map((_, place) => callPart(call, place, generatedArguments(call, place)));
    const parts = [...(text === '' ? [] : [{ text }]), ...calls];
    return {
      candidates: [{ content: { role: 'model', parts }, index: 0, finishReason: FINISH[reason] }],
      ...(usage === null ? {} : { usageMetadata: toWireUsage(usage) }),
      modelVersion: call.model,
      responseId: call.id,
    };
  },
};

/** A call that the output cap cut has arguments that are no JSON; the real one says nothing of it. */
class GoogleWriter implements AnswerWriter {
  readonly #call: SimulatedCall;
  readonly #response: ServerResponse;
  /** The arguments so far, by the place of the tool call: a call is sent as a whole, at the end. */
  readonly #argumentsOf = new Map<number, string>();

  constructor(call: SimulatedCall, response: ServerResponse) {
    this.#call = call;
    this.#response = response;
  }

  begin(): void {
    this.#sendParts([{ text: '' }]);
  }

  token(token: AnswerToken): void {
    if (token.kind === 'text') this.#sendText(token.text);
    else if (token.kind === 'reasoning') this.#sendParts([{ text: token.text, thought: true }]);
    else this.#argumentsOf.set(token.call, (this.#argumentsOf.get(token.call) ?? '') + token.text);
  }

  end({ reason, usage }: Ending): void {
    const calls = [...this.#argumentsOf].map(([place, written]) => callPart(this.#call, place, written));
    this.#sendParts(calls, FINISH[reason], usage);
  }

  ping(): void {
    this.#response.write(': keep-alive\r\n\r\n');
  }

  broken(): string {
    return 'data: {"type": "bro\n\n';
  }

  error(): void {
    this.#send(errorBody(503, 'plain', 'Simulated.'));
  }

  #sendText(text: string): void {
    const { logprobs } = this.#call;
    const logprobsResult = logprobs === null ? {} : { logprobsResult: toWireLogprobs([text], logprobs) };
    this.#sendCandidate({ content: { role: 'model', parts: [{ text }] }, index: 0, ...logprobsResult });
  }

  #sendParts(parts: object[], finishReason?: string, usage: SimulatedUsage | null = null): void {
    const ending = finishReason === undefined ? {} : { finishReason };
    this.#sendCandidate({ content: { role: 'model', parts }, index: 0, ...ending }, usage);
  }

  #sendCandidate(candidate: object, usage: SimulatedUsage | null = null): void {
    this.#send({
      candidates: [candidate],
      ...(usage === null ? {} : { usageMetadata: toWireUsage(usage) }),
      modelVersion: this.#call.model,
      responseId: this.#call.id,
    });
  }

  #send(chunk: object): void {
    this.#response.write(`data: ${JSON.stringify(chunk)}\r\n\r\n`);
  }
}

function logprobsIn(config: z.infer<typeof requestSchema>['generationConfig']): number | undefined {
  return config?.responseLogprobs === true ? (config.logprobs ?? 0) : undefined;
}

function toWireLogprobs(texts: readonly string[], alternatives: number): object {
  const toWire = ({ token, logprob }: TokenProbability) => ({ token, logProbability: logprob });
  const tokens = texts.map((text) => probabilitiesOf(text, alternatives));
  return {
    topCandidates: tokens.map(({ top }) => ({ candidates: top.map(toWire) })),
    chosenCandidates: tokens.map(toWire),
  };
}

function callPart(call: SimulatedCall, index: number, json: string): object {
  const { id, name } = call.toolCalls[index] ?? {};
  const part = { functionCall: { id, name, args: isJson(json) ? (JSON.parse(json) as unknown) : {} } };
  // From Gemini 3 on, the first call of a step is signed.
  const isSigned = index === 0 && /gemini-([3-9]|\d\d)/.test(call.model);
  return isSigned ? { ...part, thoughtSignature: signThought(call.apiKey, signedText(part)) } : part;
}

function errorBody(status: number, kind: ErrorKind, message: string) {
  const isTooLong = kind === 'context-length';
  const text = isTooLong
    ? 'The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).'
    : message;
  return { error: { code: status, message: text, status: STATUS_NAMES[status] ?? 'UNKNOWN' } };
}

/** The count of the candidates excludes thoughts; the count of the prompt includes cached tokens. */
function toWireUsage({ input, cached, output, reasoning }: SimulatedUsage) {
  return {
    promptTokenCount: input,
    ...(cached === 0 ? {} : { cachedContentTokenCount: cached }),
    candidatesTokenCount: output - reasoning,
    ...(reasoning === 0 ? {} : { thoughtsTokenCount: reasoning }),
    totalTokenCount: input + output,
  };
}

function toMessages({ role, parts }: z.infer<typeof contentSchema>): Message[] {
  return messageOf(role === 'model' ? 'assistant' : 'user', parts.flatMap(toParts));
}

function toParts({
  text,
  inlineData,
  fileData,
  functionCall,
  functionResponse,
}: z.infer<typeof partSchema>): Part[] {
  if (text !== undefined) return textPart(text);
  if (inlineData !== undefined) {
    return [mediaPart(inlineData.mimeType, `data:${inlineData.mimeType};base64,${inlineData.data}`)];
  }
  if (fileData !== undefined) return [mediaPart(fileData.mimeType ?? 'image/', fileData.fileUri)];
  if (functionCall !== undefined) {
    const { id = '', name, args } = functionCall;
    return [{ type: 'tool-call', id, name, arguments: JSON.stringify(args ?? {}) }];
  }
  if (functionResponse === undefined) return [];
  const { output, error } = functionResponse.response;
  return [{ type: 'tool-result', id: functionResponse.id ?? '', content: String(output ?? error ?? '') }];
}

function toToolChoice(config: z.infer<typeof requestSchema>['toolConfig']) {
  const { mode, allowedFunctionNames: names } = config?.functionCallingConfig ?? { mode: 'AUTO' };
  if (mode === 'NONE') return 'none' as const;
  if (mode !== 'ANY') return 'auto' as const;
  const [name] = names ?? [];
  return name === undefined ? ('required' as const) : { name };
}

function mediaPart(mimeType: string, url: string): Part {
  return mimeType.startsWith('image/') ? imagePart(url) : filePart(url);
}
