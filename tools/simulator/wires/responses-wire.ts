/**
 * OpenAI's Responses API. A background response continues when its reader disconnects, and can be read from any event.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Message, Part, ResultContent } from '../../../contracts/content.ts';
import {
  customToolArguments,
  customToolInput,
  customToolParameters,
} from '../../../contracts/responses-tools.ts';
import type { SimulatedCall, SimulatedUsage } from '../calls.ts';
import { apiKeyOf, failBeforeAnswer, sendJson } from '../exchange.ts';
import { probabilitiesOf, withBytes } from '../log-probabilities.ts';
import { OPENAI_RESPONSES_RULES } from '../rules/openai-responses-rules.ts';
import { BROKEN_BODY } from '../rules/openai-rules.ts';
import { openAiBody } from '../rules/openai-words.ts';
import {
  type AnswerWriter,
  type Ending,
  endingOf,
  type Model,
  streamAnswer,
  type Wire,
} from '../serve-call.ts';
import { encryptThought } from '../thought-signatures.ts';
import type { AnswerToken } from '../true-text.ts';
import { generatedArguments, generatedText } from './generated-parts.ts';
import { openAiError, toolChoiceSchema } from './openai-parts.ts';
import { filePart, imagePart, messageOf, textPart } from './read-parts.ts';

const contentSchema = z.union([
  z.string(),
  z.array(
    z.union([
      z.object({ type: z.enum(['input_text', 'output_text']), text: z.string() }),
      z.object({ type: z.literal('input_image'), image_url: z.string() }),
      z.object({ type: z.literal('input_file'), file_data: z.string() }),
      z.object({ type: z.literal('input_file'), file_url: z.string() }),
      z.object({ type: z.literal('refusal'), refusal: z.string() }),
      z.object({ type: z.string() }),
    ]),
  ),
]);
type Content = z.infer<typeof contentSchema>;
const itemSchema = z.union([
  z.object({ role: z.enum(['user', 'assistant', 'system', 'developer']), content: contentSchema }),
  z.object({
    type: z.literal('function_call'),
    call_id: z.string(),
    name: z.string(),
    arguments: z.string(),
  }),
  z.object({ type: z.literal('custom_tool_call'), call_id: z.string(), name: z.string(), input: z.string() }),
  z.object({
    type: z.enum(['function_call_output', 'custom_tool_call_output']),
    call_id: z.string(),
    output: contentSchema,
  }),
  z.object({ type: z.string() }),
]);
const requestSchema = z.object({
  model: z.string(),
  input: z.union([z.string(), z.array(itemSchema)]).default([]),
  include: z.array(z.string()).nullish(),
  top_logprobs: z.int().nullish(),
  instructions: z.string().nullish(),
  max_output_tokens: z.int().nullish(),
  background: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  tools: z
    .array(
      z.union([
        z.object({
          type: z.literal('function'),
          name: z.string(),
          parameters: z.record(z.string(), z.unknown()),
        }),
        // It takes plain text, which is made like that of a function with one text.
        z
          .object({ type: z.literal('custom'), name: z.string() })
          .transform(({ name }) => ({ name, isCustom: true, parameters: customToolParameters('') })),
      ]),
    )
    .nullish(),
  tool_choice: toolChoiceSchema.nullish(),
  text: z
    .object({
      format: z.object({ type: z.string(), schema: z.record(z.string(), z.unknown()).optional() }).optional(),
    })
    .nullish(),
  reasoning: z.object({ summary: z.string().nullish() }).nullish(),
});

export const responsesWire: Wire = {
  name: 'openai',
  newId: () => `resp_${randomBytes(12).toString('hex')}`,
  owns: (path) => path === '/v1/responses',
  rules: OPENAI_RESPONSES_RULES,
  refusal: openAiBody,
  brokenBody: BROKEN_BODY,
  read(_path, json) {
    const body = requestSchema.parse(json);
    const items =
      typeof body.input === 'string' ? [{ role: 'user' as const, content: body.input }] : body.input;
    const format = body.text?.format;
    const schema = format?.type === 'json_object' ? { type: 'object' } : format?.schema;
    return {
      model: body.model,
      input: {
        system: body.instructions ?? undefined,
        messages: items.flatMap(toMessages),
        tools: body.tools ?? undefined,
        toolChoice: body.tool_choice ?? undefined,
        output: schema === undefined ? undefined : { schema },
        thinks: Boolean(body.reasoning?.summary),
      },
      maxTokens: body.max_output_tokens ?? undefined,
      isStream: body.stream === true,
      isBackground: body.background === true,
      wantsEncrypted: body.include?.includes('reasoning.encrypted_content') === true,
      logprobs: body.include?.includes('message.output_text.logprobs') ? (body.top_logprobs ?? 0) : undefined,
    };
  },
  error: openAiError,
  writer: (call, response) => new ResponsesWriter(call, response, -1),
  whole: responseOf,
};

/** Only this API has it: a response is read, streamed and cancelled by its id. */
export async function serveStoredResponse(
  { calls, faults }: Model,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<boolean> {
  const [, id, action] = /^\/v1\/responses\/([^/]+)(?:\/(cancel))?$/.exec(url.pathname) ?? [];
  if (id === undefined) return false;
  const call = calls.find(id);
  const refuse = (status: number, message: string) =>
    sendJson(response, status, openAiError(status, 'plain', message));
  if (call === undefined) refuse(404, `Response with id '${id}' not found.`);
  else if (action === 'cancel' && call.run.state === 'done')
    refuse(400, 'Cannot cancel a completed response.');
  else if (action === 'cancel') {
    call.run.cancel();
    sendJson(response, 200, responseOf(call, endingOf(call, null)));
  } else if (url.searchParams.get('stream') === 'true') {
    const prompt = JSON.stringify(call.input);
    const fault = faults.take({ wire: 'openai', model: call.model, prompt, apiKey: apiKeyOf(request) });
    if (await failBeforeAnswer(fault, response, (status) => openAiError(status, 'plain', 'Simulated.')))
      return true;
    if (fault?.kind === 'refuse-stream') {
      refuse(400, 'This response can no longer be streamed: it is older than five minutes.');
      return true;
    }
    const after = Number(url.searchParams.get('starting_after') ?? -1);
    await streamAnswer(new ResponsesWriter(call, response, after), call, response, fault);
  } else sendJson(response, 200, responseOf(call, endingOf(call, null)));
  return true;
}

/**
 * Writes the whole answer each time it is read, and leaves out the events that the reader has. One output item is open
 * at a time; a token of another kind closes it and opens the next.
 */
class ResponsesWriter implements AnswerWriter {
  readonly #call: SimulatedCall;
  readonly #response: ServerResponse;
  readonly #startingAfter: number;
  #sequence = 0;
  #item: object | null = null;
  #place = -1;
  /** The kind of the open item. */
  #open = '';
  #text = '';
  /** What the text is made of. */
  #tokens: string[] = [];

  /** @param startingAfter the sequence number of the last event that the reader has; -1 for none. */
  constructor(call: SimulatedCall, response: ServerResponse, startingAfter: number) {
    this.#call = call;
    this.#response = response;
    this.#startingAfter = startingAfter;
  }

  begin(): void {
    const response = {
      ...responseOf(this.#call, { reason: 'stop', usage: null }),
      status: 'in_progress',
      output: [],
    };
    this.#send({ type: 'response.created', response });
    this.#send({ type: 'response.in_progress', response });
  }

  token(token: AnswerToken): void {
    const kind = token.kind === 'tool' ? `tool:${token.call}` : token.kind;
    if (this.#item === null || kind !== this.#open) this.#openItem(kind, token);
    this.#text += token.text;
    this.#tokens.push(token.text);
    const delta = token.text;
    if (token.kind === 'text') {
      this.#sendPart('response.output_text.delta', {
        content_index: 0,
        delta,
        logprobs: logprobsOf(this.#call, [delta]),
      });
    } else if (token.kind === 'reasoning') {
      this.#sendPart('response.reasoning_summary_text.delta', { summary_index: 0, delta });
    } else if (!isCustomCall(this.#call, token.call)) {
      this.#sendPart('response.function_call_arguments.delta', { delta });
    }
  }

  end(ending: Ending): void {
    this.#closeItem();
    if (ending.reason === 'refusal') {
      this.#place += 1;
      this.#sendPart('response.refusal.delta', { content_index: 0, delta: 'I cannot help with that.' });
    }
    const response = responseOf(this.#call, ending);
    const outcome = response.status === 'completed' ? 'completed' : 'incomplete';
    this.#send({ type: `response.${outcome}`, response });
  }

  ping(): void {
    this.#response.write(': keep-alive\n\n');
  }

  broken(): string {
    return 'event: response.output_text.delta\ndata: {"type": "bro\n\n';
  }

  error(): void {
    this.#send({ type: 'error', code: 'server_error', message: 'Simulated.', param: null });
  }

  #openItem(kind: string, token: AnswerToken): void {
    this.#closeItem();
    this.#open = kind;
    this.#place += 1;
    this.#text = '';
    this.#tokens = [];
    this.#item = emptyItem(this.#call, token, this.#itemId());
    this.#send({ type: 'response.output_item.added', output_index: this.#place, item: this.#item });
    if (token.kind !== 'text') return;
    const part = { type: 'output_text', text: '', annotations: [] };
    this.#sendPart('response.content_part.added', { content_index: 0, part });
  }

  #closeItem(): void {
    if (this.#item === null) return;
    const text = this.#text;
    if (this.#open === 'text') {
      const logprobs = logprobsOf(this.#call, this.#tokens);
      this.#sendPart('response.output_text.done', { content_index: 0, text, logprobs });
      const part = { type: 'output_text', text, annotations: [], logprobs };
      this.#sendPart('response.content_part.done', { content_index: 0, part });
    } else if (this.#open === 'reasoning') {
      this.#sendPart('response.reasoning_summary_text.done', { summary_index: 0, text });
    } else if ('input' in this.#item) {
      const input = customToolInput(text);
      this.#sendPart('response.custom_tool_call_input.delta', { delta: input });
      this.#sendPart('response.custom_tool_call_input.done', { input });
      this.#item = { ...this.#item, input, status: 'completed' };
    } else this.#sendPart('response.function_call_arguments.done', { arguments: text });
    const item = this.#open === 'reasoning' ? reasoningItem(this.#call, text, this.#itemId()) : this.#item;
    this.#send({ type: 'response.output_item.done', output_index: this.#place, item });
    this.#item = null;
  }

  #sendPart(type: string, fields: object): void {
    this.#send({ type, item_id: this.#itemId(), output_index: this.#place, ...fields });
  }

  #send(event: { type: string; [field: string]: unknown }): void {
    if (this.#sequence > this.#startingAfter) {
      const numbered = { ...event, sequence_number: this.#sequence };
      this.#response.write(`event: ${event.type}\ndata: ${JSON.stringify(numbered)}\n\n`);
    }
    this.#sequence += 1;
  }

  #itemId(): string {
    return `${PREFIXES[this.#open.split(':')[0] ?? ''] ?? 'item'}_${this.#place}_${this.#call.id}`;
  }
}

function emptyItem(call: SimulatedCall, token: AnswerToken, id: string): object {
  if (token.kind === 'text')
    return { id, type: 'message', status: 'in_progress', role: 'assistant', content: [] };
  if (token.kind === 'reasoning') return { id, type: 'reasoning', summary: [] };
  return { id, status: 'in_progress', ...callItem(call, token.call, '') };
}

function isCustomCall({ input, toolCalls }: SimulatedCall, place: number): boolean {
  return (
    input.tools?.some(({ name, isCustom }) => name === toolCalls[place]?.name && isCustom === true) === true
  );
}

function callItem(call: SimulatedCall, place: number, written: string): object {
  const { id: call_id, name } = call.toolCalls[place] ?? {};
  return isCustomCall(call, place)
    ? { type: 'custom_tool_call', call_id, name, input: customToolInput(written) }
    : { type: 'function_call', call_id, name, arguments: written };
}

function responseOf(call: SimulatedCall, { reason, usage }: Ending) {
  const { run } = call;
  const running = run.state === 'running';
  const isIncomplete = !running && (reason === 'length' || reason === 'content-filter');
  const status = running ? 'in_progress' : run.state === 'cancelled' ? 'cancelled' : 'completed';
  return {
    id: call.id,
    object: 'response',
    created_at: Math.floor(call.startedAt / 1_000),
    model: call.model,
    status: isIncomplete && status === 'completed' ? 'incomplete' : status,
    error: null,
    incomplete_details: isIncomplete
      ? { reason: reason === 'length' ? 'max_output_tokens' : 'content_filter' }
      : null,
    output: outputOf(call, status),
    background: call.isBackground,
    store: true,
    parallel_tool_calls: true,
    tools: [],
    metadata: {},
    usage: running || usage === null ? null : toWireUsage(usage),
  };
}

const PREFIXES: Readonly<Record<string, string>> = { text: 'msg', reasoning: 'rs', tool: 'fc' };

function reasoningItem({ apiKey, wantsEncrypted }: SimulatedCall, text: string, id: string): object {
  const summary = [{ type: 'summary_text', text }];
  const encrypted = wantsEncrypted ? { encrypted_content: encryptThought(apiKey, text) } : {};
  return { id, type: 'reasoning', summary, ...encrypted };
}

function outputOf(call: SimulatedCall, status: string): object[] {
  const thoughts = generatedText(call, 'reasoning');
  const text = generatedText(call, 'text');
  const generated = call.run.tokens.slice(0, call.run.made);
  const calls = new Set(generated.flatMap((token) => (token.kind === 'tool' ? [token.call] : [])));
  const tokens = generated.flatMap((token) => (token.kind === 'text' ? [token.text] : []));
  const content = [{ type: 'output_text', text, annotations: [], logprobs: logprobsOf(call, tokens) }];
  return [
    ...(thoughts === '' ? [] : [reasoningItem(call, thoughts, `rs_${call.id}`)]),
    ...(text === '' ? [] : [{ id: `msg_${call.id}`, type: 'message', status, role: 'assistant', content }]),
    ...[...calls].map((place) => callItem(call, place, generatedArguments(call, place))),
  ];
}

function logprobsOf({ logprobs }: SimulatedCall, tokens: readonly string[]): readonly object[] {
  return logprobs === null ? [] : tokens.map((text) => withBytes(probabilitiesOf(text, logprobs)));
}

function toWireUsage({ input, cached, written, output, reasoning }: SimulatedUsage) {
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached, cache_write_tokens: written },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  };
}

function toMessages(item: z.infer<typeof itemSchema>): Message[] {
  if ('role' in item) return messageOf(item.role, toParts(item.content));
  if ('arguments' in item) {
    const { call_id: id, name, arguments: written } = item;
    return messageOf('assistant', [{ type: 'tool-call', id, name, arguments: written }]);
  }
  if ('input' in item) {
    const { call_id: id, name, input } = item;
    return messageOf('assistant', [{ type: 'tool-call', id, name, arguments: customToolArguments(input) }]);
  }
  if (!('output' in item)) return [];
  const content = typeof item.output === 'string' ? item.output : (toParts(item.output) as ResultContent[]);
  return messageOf('user', [{ type: 'tool-result', id: item.call_id, content }]);
}

function toParts(content: Content): Part[] {
  if (typeof content === 'string') return textPart(content);
  return content.flatMap((part) => {
    if ('text' in part) return textPart(part.text);
    if ('refusal' in part) return textPart(part.refusal);
    if ('image_url' in part) return [imagePart(part.image_url)];
    if ('file_data' in part) return [filePart(part.file_data)];
    return 'file_url' in part ? [filePart(part.file_url)] : [];
  });
}
