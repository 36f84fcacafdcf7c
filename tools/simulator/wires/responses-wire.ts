/** OpenAI's Responses API. A background response goes on when its reader is gone, and is read again from any point. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Message } from '../../../contracts/content.ts';
import type { SimulatedCall, SimulatedUsage } from '../calls.ts';
import { apiKeyOf, failBeforeAnswer, sendJson } from '../exchange.ts';
import {
  type AnswerWriter,
  type Ending,
  endingOf,
  type Model,
  streamAnswer,
  type Wire,
} from '../serve-call.ts';
import type { AnswerToken } from '../true-text.ts';
import { openAiError, toolChoiceSchema } from './openai-parts.ts';
import { imagePart, messageOf, textPart } from './read-parts.ts';

const contentSchema = z.union([
  z.string(),
  z.array(
    z.union([
      z.object({ type: z.enum(['input_text', 'output_text']), text: z.string() }),
      z.object({ type: z.literal('input_image'), image_url: z.string() }),
    ]),
  ),
]);
const itemSchema = z.union([
  z.object({ role: z.enum(['user', 'assistant', 'system', 'developer']), content: contentSchema }),
  z.object({
    type: z.literal('function_call'),
    call_id: z.string(),
    name: z.string(),
    arguments: z.string(),
  }),
  z.object({ type: z.literal('function_call_output'), call_id: z.string(), output: z.string() }),
]);
const requestSchema = z.object({
  model: z.string(),
  input: z.union([z.string(), z.array(itemSchema)]),
  instructions: z.string().nullish(),
  max_output_tokens: z.int().nullish(),
  background: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  tools: z
    .array(
      z.object({
        type: z.literal('function'),
        name: z.string(),
        parameters: z.record(z.string(), z.unknown()),
      }),
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
  read(path, given) {
    if (path !== '/v1/responses') return null;
    const body = requestSchema.parse(given);
    const items =
      typeof body.input === 'string' ? [{ role: 'user' as const, content: body.input }] : body.input;
    const schema = body.text?.format?.schema;
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
    };
  },
  error: openAiError,
  writer: (call, response) => createWriter(call, response, -1),
  whole: responseOf,
};

/** What only this API has: a response that is read, streamed and cancelled by its id. */
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
    await streamAnswer(createWriter(call, response, after), call, response, fault);
  } else sendJson(response, 200, responseOf(call, endingOf(call, null)));
  return true;
}

/** Begins anew each time, and keeps back what the reader has. */
function createWriter(call: SimulatedCall, response: ServerResponse, startingAfter: number): AnswerWriter {
  let number = 0;
  let item: object | null = null;
  let place = -1;
  let open = '';
  let text = '';
  const send = (event: { type: string; [field: string]: unknown }) => {
    if (number > startingAfter) {
      response.write(
        `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: number })}\n\n`,
      );
    }
    number += 1;
  };
  const at = () => ({ item_id: `item_${place}_${call.id}`, output_index: place });
  const close = () => {
    if (item === null) return;
    const [kind] = open.split(':');
    if (kind === 'text') {
      send({ type: 'response.output_text.done', ...at(), content_index: 0, text, logprobs: [] });
      const part = { type: 'output_text', text, annotations: [] };
      send({ type: 'response.content_part.done', ...at(), content_index: 0, part });
    } else if (kind === 'reasoning') {
      send({ type: 'response.reasoning_summary_text.done', ...at(), summary_index: 0, text });
    } else send({ type: 'response.function_call_arguments.done', ...at(), arguments: text });
    send({ type: 'response.output_item.done', output_index: place, item });
    item = null;
  };
  const begin = (name: string, token: AnswerToken) => {
    close();
    open = name;
    place += 1;
    text = '';
    item = emptyItem(call, token, at().item_id);
    send({ type: 'response.output_item.added', output_index: place, item });
    if (token.kind !== 'text') return;
    const part = { type: 'output_text', text: '', annotations: [] };
    send({ type: 'response.content_part.added', ...at(), content_index: 0, part });
  };
  return {
    begin() {
      const started = {
        ...responseOf(call, { reason: 'stop', usage: null }),
        status: 'in_progress',
        output: [],
      };
      send({ type: 'response.created', response: started });
      send({ type: 'response.in_progress', response: started });
    },
    token(token) {
      const name = token.kind === 'tool' ? `tool:${token.call}` : token.kind;
      if (item === null || name !== open) begin(name, token);
      text += token.text;
      const delta = token.text;
      if (token.kind === 'text') {
        send({ type: 'response.output_text.delta', ...at(), content_index: 0, delta, logprobs: [] });
      } else if (token.kind === 'reasoning') {
        send({ type: 'response.reasoning_summary_text.delta', ...at(), summary_index: 0, delta });
      } else send({ type: 'response.function_call_arguments.delta', ...at(), delta });
    },
    end(ending) {
      close();
      if (ending.reason === 'refusal') {
        place += 1;
        send({
          type: 'response.refusal.delta',
          ...at(),
          content_index: 0,
          delta: 'I cannot help with that.',
        });
      }
      const whole = responseOf(call, ending);
      send({
        type: `response.${whole.status === 'completed' ? 'completed' : 'incomplete'}`,
        response: whole,
      });
    },
    broken: () => 'event: response.output_text.delta\ndata: {"type": "bro\n\n',
    error: () => send({ type: 'error', code: 'server_error', message: 'Simulated.', param: null }),
  };
}

function emptyItem(call: SimulatedCall, token: AnswerToken, id: string): object {
  if (token.kind === 'text')
    return { id, type: 'message', status: 'in_progress', role: 'assistant', content: [] };
  if (token.kind === 'reasoning') return { id, type: 'reasoning', summary: [] };
  const { id: call_id, name } = call.toolCalls[token.call] ?? {};
  return { id, type: 'function_call', status: 'in_progress', call_id, name, arguments: '' };
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

function outputOf(call: SimulatedCall, status: string): object[] {
  const made = call.run.tokens.slice(0, call.run.made);
  const join = (isWanted: (token: AnswerToken) => boolean) =>
    made
      .filter(isWanted)
      .map(({ text }) => text)
      .join('');
  const thoughts = join(({ kind }) => kind === 'reasoning');
  const text = join(({ kind }) => kind === 'text');
  const calls = [...new Set(made.flatMap((token) => (token.kind === 'tool' ? [token.call] : [])))];
  const content = [{ type: 'output_text', text, annotations: [] }];
  return [
    ...(thoughts === '' ? [] : [{ type: 'reasoning', summary: [{ type: 'summary_text', text: thoughts }] }]),
    ...(text === '' ? [] : [{ id: `msg_${call.id}`, type: 'message', status, role: 'assistant', content }]),
    ...calls.map((index) => ({
      type: 'function_call',
      call_id: call.toolCalls[index]?.id,
      name: call.toolCalls[index]?.name,
      arguments: join((token) => token.kind === 'tool' && token.call === index),
    })),
  ];
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
  if (!('role' in item)) {
    return item.type === 'function_call'
      ? messageOf('assistant', [
          { type: 'tool-call', id: item.call_id, name: item.name, arguments: item.arguments },
        ])
      : messageOf('user', [{ type: 'tool-result', id: item.call_id, content: item.output }]);
  }
  const role = item.role === 'assistant' ? 'assistant' : 'user';
  if (typeof item.content === 'string') return messageOf(role, textPart(item.content));
  return messageOf(
    role,
    item.content.flatMap((part) => ('text' in part ? textPart(part.text) : [imagePart(part.image_url)])),
  );
}
