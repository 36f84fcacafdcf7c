/** Google's `generateContent` and `streamGenerateContent`. A call whose reader leaves ends. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Message, Part } from '../../../contracts/content.ts';
import type { SimulatedCall, SimulatedUsage } from '../calls.ts';
import type { Ending, ErrorKind, Wire } from '../serve-call.ts';
import { imagePart, messageOf, textPart } from './read-parts.ts';

const partSchema = z.object({
  text: z.string().optional(),
  inlineData: z.object({ mimeType: z.string(), data: z.string() }).optional(),
  fileData: z.object({ fileUri: z.string() }).optional(),
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
      responseJsonSchema: z.record(z.string(), z.unknown()).optional(),
      thinkingConfig: z.object({ includeThoughts: z.boolean().optional() }).optional(),
    })
    .optional(),
});

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
  read(path, given) {
    const [, model, method] =
      /^\/v1(?:beta)?\/models\/([^/:]+):(streamGenerateContent|generateContent)$/.exec(path) ?? [];
    if (model === undefined) return null;
    const body = requestSchema.parse(given);
    const schema = body.generationConfig?.responseJsonSchema;
    return {
      model,
      input: {
        system: body.systemInstruction?.parts.map(({ text }) => text).join('\n'),
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
      isStream: method === 'streamGenerateContent',
    };
  },
  error: errorBody,
  writer(call, response) {
    const written = new Map<number, string>();
    const send = (chunk: object) => response.write(`data: ${JSON.stringify(chunk)}\r\n\r\n`);
    const parts = (made: object[], finishReason?: string, usage: SimulatedUsage | null = null) =>
      send({
        candidates: [
          { content: { role: 'model', parts: made }, index: 0, ...(finishReason ? { finishReason } : {}) },
        ],
        ...(usage === null ? {} : { usageMetadata: toWireUsage(usage) }),
        modelVersion: call.model,
        responseId: call.id,
      });
    return {
      begin: () => parts([{ text: '' }]),
      token(token) {
        if (token.kind === 'text') parts([{ text: token.text }]);
        else if (token.kind === 'reasoning') parts([{ text: token.text, thought: true }]);
        // A call is sent whole, at the end.
        else written.set(token.call, (written.get(token.call) ?? '') + token.text);
      },
      end({ reason, usage }) {
        const calls = [...written].map(([index, json]) => callPart(call, index, json));
        parts(calls, FINISH[reason], usage);
      },
      broken: () => 'data: {"type": "bro\n\n',
      error: () => send(errorBody(503, 'plain', 'Simulated.')),
    };
  },
  whole(call, { reason, usage }) {
    const made = call.run.tokens.slice(0, call.run.made);
    const text = made.flatMap((token) => (token.kind === 'text' ? [token.text] : [])).join('');
    const calls = call.toolCalls.map((_, index) => {
      const json = made.flatMap((token) =>
        token.kind === 'tool' && token.call === index ? [token.text] : [],
      );
      return callPart(call, index, json.join(''));
    });
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
function callPart(call: SimulatedCall, index: number, json: string): object {
  const { id, name } = call.toolCalls[index] ?? {};
  return { functionCall: { id, name, args: isJson(json) ? (JSON.parse(json) as unknown) : {} } };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function errorBody(status: number, kind: ErrorKind, message: string) {
  const isTooLong = kind === 'context-length';
  const text = isTooLong
    ? 'The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).'
    : message;
  return { error: { code: status, message: text, status: STATUS_NAMES[status] ?? 'UNKNOWN' } };
}

/** Thoughts lie beside the candidates, cached tokens within the prompt. */
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
  if (inlineData !== undefined) return [imagePart(`data:${inlineData.mimeType};base64,${inlineData.data}`)];
  if (fileData !== undefined) return [imagePart(fileData.fileUri)];
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
