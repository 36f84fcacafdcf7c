/** Anthropic's Messages API. A call whose reader leaves ends; a partial assistant turn at the end is gone on from. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { type Calls, type SimulatedCall, usageOf } from './calls.ts';
import {
  failBeforeAnswer,
  failInAnswer,
  readBody,
  relayRun,
  sendEvent,
  sendJson,
  startSse,
  type WireEvent,
} from './exchange.ts';
import type { Fault, Faults } from './faults.ts';

const requestSchema = z.object({
  model: z.string(),
  max_tokens: z.int().positive(),
  system: z.string().optional(),
  messages: z.array(z.object({ role: z.enum(['user', 'assistant']), content: z.string() })).min(1),
  stream: z.boolean().optional(),
});

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

export function createAnthropicWire(calls: Calls, faults: Faults) {
  const error = (status: number, text = 'Simulated.') => ({
    type: 'error',
    error: { type: ERROR_TYPES[status] ?? 'api_error', message: text },
    request_id: `req_${randomBytes(8).toString('hex')}`,
  });

  const stream = async (call: SimulatedCall, response: ServerResponse, fault: Fault | null) => {
    const { run } = call;
    const send = (event: WireEvent) => sendEvent(response, event);
    const usage = usageOf(call);
    startSse(response);
    response.once('close', () => run.cancel());
    const shell = { id: call.id, type: 'message', role: 'assistant', model: call.model, content: [] };
    const empty = { stop_reason: null, stop_sequence: null };
    const start = { ...shell, ...empty, usage: { input_tokens: usage.input_tokens, output_tokens: 1 } };
    sendEvent(response, { type: 'message_start', message: start });
    send({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } });
    send({ type: 'ping' });
    const delta = (token: string) =>
      send({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: token } });
    const failsAt = (sent: number) => failInAnswer(fault, sent, response, () => error(529));
    if ((await relayRun(run, 0, response, delta, failsAt)) === 'left') return;
    if (fault?.kind === 'missing-terminal') {
      response.end();
      return;
    }
    send({ type: 'content_block_stop', index: 0 });
    const stop_reason = fault?.kind === 'content-filter' ? 'refusal' : call.isCut ? 'max_tokens' : 'end_turn';
    const counted = { input_tokens: usage.input_tokens, output_tokens: run.made };
    send({
      type: 'message_delta',
      delta: { stop_reason, stop_sequence: null },
      ...(fault?.kind === 'no-usage' ? {} : { usage: counted }),
    });
    send({ type: 'message_stop' });
    response.end();
  };

  return async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<boolean> => {
    if (url.pathname !== '/v1/messages' || request.method !== 'POST') return false;
    const parsed = requestSchema.safeParse(await readBody(request));
    if (!parsed.success) {
      sendJson(response, 400, error(400, parsed.error.message));
      return true;
    }
    const body = parsed.data;
    const fault = faults.take({
      wire: 'anthropic',
      model: body.model,
      prompt: JSON.stringify(body),
    });
    if (await failBeforeAnswer(fault, response, (status) => error(status))) return true;
    const refusal = refusalOf(body, fault);
    if (refusal !== null) {
      sendJson(response, 400, error(400, refusal));
      return true;
    }
    const call = calls.start({
      id: `msg_${randomBytes(12).toString('hex')}`,
      wire: 'anthropic',
      model: body.model,
      input: { system: body.system, messages: body.messages },
      maxTokens: body.max_tokens,
      isBackground: false,
      isEmpty: fault?.kind === 'empty',
      salt: fault?.kind === 'nondeterministic' ? String(Math.random()) : '',
    });
    if (body.stream === true) await stream(call, response, fault);
    else await sendWhole(call, response);
    return true;
  };
}

async function sendWhole(call: SimulatedCall, response: ServerResponse): Promise<void> {
  const { run } = call;
  response.once('close', () => run.cancel());
  while (run.state === 'running') await run.moreThan(run.made);
  sendJson(response, 200, {
    ...{ id: call.id, type: 'message', role: 'assistant', model: call.model },
    content: run.made === 0 ? [] : [{ type: 'text', text: run.tokens.slice(0, run.made).join('') }],
    stop_reason: call.isCut ? 'max_tokens' : 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: usageOf(call).input_tokens, output_tokens: run.made },
  });
}

/** Why the real API answers this request with a 400; null where it does not. */
function refusalOf({ model, messages }: z.infer<typeof requestSchema>, fault: Fault | null): string | null {
  const last = messages.at(-1);
  if (fault?.kind === 'context-length') return 'prompt is too long: 250000 tokens > 200000 maximum';
  if (last?.role !== 'assistant') return null;
  if (fault?.kind === 'refuse-prefill' || /4-6|no-prefill/.test(model)) {
    return 'This model does not support assistant message prefill. The conversation must end with a user message.';
  }
  return /\s$/.test(last.content) ? 'final assistant content cannot end with trailing whitespace' : null;
}
