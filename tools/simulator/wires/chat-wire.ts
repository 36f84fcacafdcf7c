/** OpenAI's chat completions, as most vendors speak them. A call ends when its reader disconnects. */
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import type { SimulatedCall, SimulatedUsage } from '../calls.ts';
import { probabilitiesOf, withBytes } from '../log-probabilities.ts';
import { OPENAI_CHAT_RULES } from '../rules/openai-chat-rules.ts';
import { BROKEN_BODY } from '../rules/openai-rules.ts';
import { openAiBody } from '../rules/openai-words.ts';
import type { AnswerWriter, Ending, Wire } from '../serve-call.ts';
import type { AnswerToken } from '../true-text.ts';
import { chatMessageSchema, readChatMessage } from './chat-messages.ts';
import { generatedArguments, generatedText } from './generated-parts.ts';
import { openAiError, toolChoiceSchema } from './openai-parts.ts';

const requestSchema = z.object({
  model: z.string(),
  messages: z.array(chatMessageSchema).min(1),
  max_tokens: z.int().nullish(),
  max_completion_tokens: z.int().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  tools: z
    .array(
      z.object({ function: z.object({ name: z.string(), parameters: z.record(z.string(), z.unknown()) }) }),
    )
    .nullish(),
  tool_choice: toolChoiceSchema.nullish(),
  response_format: z
    .object({
      type: z.string(),
      json_schema: z.object({ schema: z.record(z.string(), z.unknown()) }).optional(),
    })
    .nullish(),
  reasoning_effort: z.string().nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().nullish(),
});

/** Azure names the deployment in the path. */
const PATH = /^\/(v1|openai\/deployments\/[^/]+)\/chat\/completions$/;

const FINISH = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'tool_calls',
  'content-filter': 'content_filter',
  refusal: 'stop',
} as const satisfies Record<Ending['reason'], string>;

export const chatWire: Wire = {
  name: 'openai-chat',
  newId: () => `chatcmpl-${randomBytes(12).toString('hex')}`,
  owns: (path) => PATH.test(path),
  rules: OPENAI_CHAT_RULES,
  refusal: openAiBody,
  brokenBody: BROKEN_BODY,
  read(_path, json) {
    const body = requestSchema.parse(json);
    const format = body.response_format;
    const schema = format?.type === 'json_object' ? { type: 'object' } : format?.json_schema?.schema;
    return {
      model: body.model,
      input: {
        messages: body.messages.flatMap(readChatMessage),
        tools: body.tools?.map((tool) => tool.function),
        toolChoice: body.tool_choice ?? undefined,
        output: schema === undefined ? undefined : { schema },
        thinks: Boolean(body.reasoning_effort),
      },
      maxTokens: body.max_completion_tokens ?? body.max_tokens ?? undefined,
      isStream: body.stream === true,
      wantsUsage: body.stream_options?.include_usage === true,
      logprobs: body.logprobs === true ? (body.top_logprobs ?? 0) : undefined,
    };
  },
  error: openAiError,
  writer: (call, response) => new ChatWriter(call, response),
  whole(call, { reason, usage }) {
    const calls = call.toolCalls.map(({ id, name }, place) => ({
      id,
      type: 'function',
      function: { name, arguments: generatedArguments(call, place) },
    }));
    const thoughts = generatedText(call, 'reasoning');
    const message = {
      role: 'assistant',
      content: generatedText(call, 'text') || null,
      refusal: null,
      ...(thoughts === '' ? {} : { reasoning_content: thoughts }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    };
    return {
      ...headOf(call, 'chat.completion'),
      choices: [{ index: 0, message, finish_reason: FINISH[reason], logprobs: wholeLogprobs(call) }],
      ...(usage === null ? {} : { usage: toWireUsage(usage) }),
    };
  },
};

class ChatWriter implements AnswerWriter {
  readonly #call: SimulatedCall;
  readonly #response: ServerResponse;
  /** Places of the tool calls whose name was sent. */
  readonly #named = new Set<number>();

  constructor(call: SimulatedCall, response: ServerResponse) {
    this.#call = call;
    this.#response = response;
  }

  begin(): void {
    this.#sendChoice({ role: 'assistant', content: '' });
  }

  token(token: AnswerToken): void {
    if (token.kind === 'text') this.#sendText(token.text);
    // Vendors use either name, and some use both.
    else if (token.kind === 'reasoning') {
      this.#sendChoice({ reasoning_content: token.text, reasoning: token.text });
    } else this.#sendChoice({ tool_calls: [this.#toolDelta(token.call, token.text)] });
  }

  end({ reason, usage }: Ending): void {
    if (reason === 'refusal') this.#sendChoice({ refusal: 'I cannot help with that.' });
    const { id, wantsUsage } = this.#call;
    // A caller that did not ask for the usage finds it where Groq puts it.
    const groq = usage === null || wantsUsage ? {} : { x_groq: { id, usage: toWireUsage(usage) } };
    this.#sendChoice({}, FINISH[reason], groq);
    if (usage !== null && wantsUsage) {
      this.#send({
        ...headOf(this.#call, 'chat.completion.chunk'),
        choices: [],
        usage: toWireUsage(usage),
      });
    }
    this.#response.write('data: [DONE]\n\n');
  }

  ping(): void {
    this.#response.write(': keep-alive\n\n');
  }

  broken(): string {
    return 'data: {"type": "bro\n\n';
  }

  error(): void {
    this.#send(openAiError(500, 'plain', 'Simulated.'));
  }

  /** Only the first delta of a call has its id and its name. */
  #toolDelta(place: number, written: string): object {
    if (this.#named.has(place)) return { index: place, function: { arguments: written } };
    this.#named.add(place);
    const { id, name } = this.#call.toolCalls[place] ?? {};
    return { index: place, id, type: 'function', function: { name, arguments: written } };
  }

  #sendText(content: string): void {
    const { logprobs } = this.#call;
    if (logprobs === null) this.#sendChoice({ content });
    else {
      const own = [withBytes(probabilitiesOf(content, logprobs))];
      this.#sendChoice({ content }, null, {}, { logprobs: { content: own, refusal: null } });
    }
  }

  #sendChoice(delta: object, finish_reason: string | null = null, more = {}, ofChoice = {}): void {
    const choices = [{ index: 0, delta, finish_reason, ...ofChoice }];
    this.#send({ ...headOf(this.#call, 'chat.completion.chunk'), choices, ...more });
  }

  #send(chunk: object): void {
    this.#response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  }
}

function wholeLogprobs({ run, logprobs }: SimulatedCall) {
  if (logprobs === null) return null;
  const tokens = run.tokens.slice(0, run.made).filter(({ kind }) => kind === 'text');
  return { content: tokens.map(({ text }) => withBytes(probabilitiesOf(text, logprobs))), refusal: null };
}

function headOf({ id, startedAt, model }: SimulatedCall, object: string) {
  return { id, object, created: Math.floor(startedAt / 1_000), model };
}

function toWireUsage({ input, cached, written, output, reasoning }: SimulatedUsage) {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: written },
    completion_tokens_details: { reasoning_tokens: reasoning },
  };
}
