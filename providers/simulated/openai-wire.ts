/** OpenAI's Responses API. A background response goes on when its reader is gone, and is read again from any point. */
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
  input: z.union([
    z.string(),
    z.array(z.object({ role: z.enum(['user', 'assistant']), content: z.string() })),
  ]),
  instructions: z.string().nullish(),
  max_output_tokens: z.int().nullish(),
  background: z.boolean().nullish(),
  stream: z.boolean().nullish(),
});

/** Events before the first delta; so the delta with index i has sequence number i + 4. */
const PREAMBLE = 4;

export function createOpenAiWire(calls: Calls, faults: Faults) {
  const error = (status: number, code: string, text: string) => ({
    error: {
      message: text,
      type: status >= 500 ? 'server_error' : 'invalid_request_error',
      param: null,
      code,
    },
  });
  const plainError = (status: number) =>
    error(status, status === 429 ? 'rate_limit_exceeded' : 'error', 'Simulated.');

  const responseOf = (call: SimulatedCall) => {
    const { run, usage } = call;
    const isCut = run.state === 'done' && call.isCut;
    const status =
      run.state === 'running' ? 'in_progress' : run.state === 'cancelled' ? 'cancelled' : 'completed';
    return {
      ...{
        id: call.id,
        object: 'response',
        created_at: Math.floor(call.startedAt / 1_000),
        model: call.model,
      },
      status: isCut ? 'incomplete' : status,
      error: null,
      incomplete_details: isCut ? { reason: 'max_output_tokens' } : null,
      output: run.made === 0 ? [] : [item(call, run.tokens.slice(0, run.made).join(''), status)],
      ...{ background: call.isBackground, store: true, parallel_tool_calls: true, tools: [], metadata: {} },
      usage: run.state === 'running' || usage === null ? null : usageOf(call),
    };
  };

  const item = (call: SimulatedCall, text: string, status: string) => ({
    ...{ id: `msg_${call.id}`, type: 'message', status, role: 'assistant' },
    content: [{ type: 'output_text', text, annotations: [] }],
  });

  /** Streams from the event after `startingAfter`; -1 for all. */
  const stream = async (
    call: SimulatedCall,
    startingAfter: number,
    response: ServerResponse,
    fault: Fault | null,
  ) => {
    const { run } = call;
    startSse(response);
    if (!call.isBackground) response.once('close', () => run.cancel());
    const at = { item_id: `msg_${call.id}`, output_index: 0, content_index: 0 };
    let number = 0;
    const send = (event: WireEvent) => {
      if (number > startingAfter) sendEvent(response, { ...event, sequence_number: number });
      number += 1;
    };
    const failsAt = (sent: number) =>
      failInAnswer(fault, sent, response, () => ({
        ...{
          type: 'error',
          code: 'server_error',
          message: 'Simulated.',
          param: null,
          sequence_number: number,
        },
      }));
    const started = { ...responseOf(call), status: 'in_progress', output: [], usage: null };
    send({ type: 'response.created', response: started });
    send({ type: 'response.in_progress', response: started });
    send({
      type: 'response.output_item.added',
      output_index: 0,
      item: { ...item(call, '', 'in_progress'), content: [] },
    });
    send({
      type: 'response.content_part.added',
      ...at,
      part: { type: 'output_text', text: '', annotations: [] },
    });
    const from = Math.max(0, startingAfter - PREAMBLE + 1);
    number = PREAMBLE + from;
    const delta = (token: string) =>
      send({ type: 'response.output_text.delta', ...at, delta: token, logprobs: [] });
    if ((await relayRun(run, from, response, delta, failsAt)) === 'left') {
      if (fault?.kind === 'in-band-error') run.cancel();
      return;
    }
    if (fault?.kind === 'missing-terminal') {
      response.end();
      return;
    }
    const text = run.tokens.slice(0, run.made).join('');
    send({ type: 'response.output_text.done', ...at, text, logprobs: [] });
    send({ type: 'response.content_part.done', ...at, part: { type: 'output_text', text, annotations: [] } });
    send({ type: 'response.output_item.done', output_index: 0, item: item(call, text, 'completed') });
    const whole = responseOf(call);
    const isFiltered = fault?.kind === 'content-filter';
    const status = isFiltered ? 'incomplete' : whole.status;
    const incomplete_details = isFiltered ? { reason: 'content_filter' } : whole.incomplete_details;
    const usage = fault?.kind === 'no-usage' ? null : whole.usage;
    const end = { ...whole, status, incomplete_details, usage };
    send({ type: `response.${status === 'completed' ? 'completed' : 'incomplete'}`, response: end });
    response.end();
  };

  const create = async (request: IncomingMessage, response: ServerResponse) => {
    const parsed = requestSchema.safeParse(await readBody(request));
    if (!parsed.success) return sendJson(response, 400, error(400, 'invalid_request', parsed.error.message));
    const body = parsed.data;
    const messages =
      typeof body.input === 'string' ? [{ role: 'user' as const, content: body.input }] : body.input;
    const prompt = JSON.stringify(body);
    const fault = faults.take({ wire: 'openai', model: body.model, prompt });
    if (await failBeforeAnswer(fault, response, plainError)) return;
    if (fault?.kind === 'context-length') {
      const text = 'Your input exceeds the context window of this model.';
      return sendJson(response, 400, error(400, 'context_length_exceeded', text));
    }
    const call = calls.start({
      id: `resp_${randomBytes(12).toString('hex')}`,
      wire: 'openai',
      model: body.model,
      input: { system: body.instructions ?? undefined, messages },
      maxTokens: body.max_output_tokens ?? undefined,
      isBackground: body.background === true,
      isEmpty: fault?.kind === 'empty',
      salt: fault?.kind === 'nondeterministic' ? String(Math.random()) : '',
    });
    if (body.stream === true) return stream(call, -1, response, fault);
    if (!call.isBackground) {
      response.once('close', () => call.run.cancel());
      while (call.run.state === 'running') await call.run.moreThan(call.run.made);
    }
    sendJson(response, 200, responseOf(call));
  };

  return async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<boolean> => {
    const [, id, action] = /^\/v1\/responses(?:\/([^/]+))?(?:\/(cancel))?$/.exec(url.pathname) ?? [];
    if (!url.pathname.startsWith('/v1/responses')) return false;
    if (id === undefined && request.method === 'POST') {
      await create(request, response);
      return true;
    }
    const call = calls.find(id ?? '');
    if (call === undefined) {
      sendJson(response, 404, error(404, 'not_found', `Response with id '${id}' not found.`));
    } else if (action === 'cancel' && call.run.state === 'done') {
      sendJson(response, 400, error(400, 'invalid_request', 'Cannot cancel a completed response.'));
    } else if (action === 'cancel') {
      call.run.cancel();
      sendJson(response, 200, responseOf(call));
    } else if (url.searchParams.get('stream') === 'true') {
      const fault = faults.take({
        wire: 'openai',
        model: call.model,
        prompt: JSON.stringify(call.input),
      });
      if (await failBeforeAnswer(fault, response, plainError)) return true;
      if (fault?.kind === 'refuse-stream') {
        const text = 'This response can no longer be streamed: it is older than five minutes.';
        sendJson(response, 400, error(400, 'invalid_request', text));
        return true;
      }
      await stream(call, Number(url.searchParams.get('starting_after') ?? -1), response, fault);
    } else sendJson(response, 200, responseOf(call));
    return true;
  };
}
