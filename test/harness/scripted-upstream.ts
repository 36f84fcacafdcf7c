/**
 * A vendor of four wires whose next answers a test writes down, by model. Where a script has run out, its last turn is
 * repeated.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Turn {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of a stream. */
  readonly json?: object;
  readonly text?: readonly string[];
  /** Pieces of tool calls as chat completions stream them. */
  readonly toolCalls?: readonly object[];
  /** Before the head of the answer. */
  readonly firstMs?: number;
  /** Between two texts. */
  readonly gapMs?: number;
  /** How often a sign of life is sent within a gap; absent: never. */
  readonly pingMs?: number;
}

export interface ScriptedUpstream {
  readonly url: string;
  play(model: string, turns: readonly Turn[]): void;
  calls(model: string): number;
  stop(): Promise<void>;
}

interface Wire {
  readonly ping: string;
  readonly begin: string;
  readonly text: (text: string) => string;
  readonly end: string;
}

const data = (value: object) => `data: ${JSON.stringify(value)}\n\n`;
const event = (type: string, fields: object = {}) => `event: ${type}\n${data({ type, ...fields })}`;
const chunk = (choice: object) =>
  data({ id: 'c1', object: 'chat.completion.chunk', choices: [{ index: 0, ...choice }] });

const CHAT: Wire = {
  ping: ': alive\n\n',
  begin: '',
  text: (content) => chunk({ delta: { content }, finish_reason: null }),
  end: `${chunk({ delta: {}, finish_reason: 'stop' })}data: [DONE]\n\n`,
};
const usage = { input_tokens: 1, output_tokens: 1 };
const MESSAGES: Wire = {
  ping: event('ping'),
  begin:
    event('message_start', { message: { id: 'm1', role: 'assistant', content: [], usage } }) +
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  text: (text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
  end:
    event('content_block_stop', { index: 0 }) +
    event('message_delta', { delta: { stop_reason: 'end_turn' }, usage }) +
    event('message_stop'),
};
const response = (status: string) => ({ id: 'resp_1', object: 'response', status, output: [] });
const RESPONSES: Wire = {
  ping: ': alive\n\n',
  begin: event('response.created', { sequence_number: 0, response: response('in_progress') }),
  text: (delta) =>
    event('response.output_text.delta', { sequence_number: 1, output_index: 0, item_id: 'i', delta }),
  end: event('response.completed', { sequence_number: 2, response: response('completed') }),
};
const candidate = (fields: object) => data({ candidates: [{ index: 0, ...fields }] });
const GOOGLE: Wire = {
  ping: ': alive\n\n',
  begin: '',
  text: (text) => candidate({ content: { role: 'model', parts: [{ text }] } }),
  end: candidate({ content: { role: 'model', parts: [] }, finishReason: 'STOP' }),
};

export async function startScriptedUpstream(): Promise<ScriptedUpstream> {
  const scripts = new Map<string, Turn[]>();
  const calls = new Map<string, number>();
  const server = createServer(async (request, answer) => {
    const { wire, model } = await readCall(request);
    const made = calls.get(model) ?? 0;
    calls.set(model, made + 1);
    const script = scripts.get(model) ?? [];
    const turn = script[Math.min(made, script.length - 1)] ?? { status: 404, json: { error: 'no script' } };
    await answerWith(turn, wire, answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    play: (model, turns) => void scripts.set(model, [...(scripts.get(model) ?? []), ...turns]),
    calls: (model) => calls.get(model) ?? 0,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function readCall(request: IncomingMessage): Promise<{ wire: Wire; model: string }> {
  const chunks: Buffer[] = [];
  for await (const bytes of request) chunks.push(bytes);
  const path = request.url ?? '';
  const [, google] = /models\/([^/:]+):/.exec(path) ?? [];
  if (google !== undefined) return { wire: GOOGLE, model: google };
  const { model } = JSON.parse(Buffer.concat(chunks).toString() || '{}') as { model?: string };
  const wire = path.includes('/messages') ? MESSAGES : path.includes('/responses') ? RESPONSES : CHAT;
  return { wire, model: model ?? '' };
}

async function answerWith(turn: Turn, wire: Wire, answer: ServerResponse): Promise<void> {
  const {
    status = 200,
    headers = {},
    json,
    text = [],
    toolCalls = [],
    firstMs = 0,
    gapMs = 0,
    pingMs,
  } = turn;
  if (firstMs > 0) await sleep(firstMs);
  if (json !== undefined) {
    answer.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(json));
    return;
  }
  answer.writeHead(status, { 'content-type': 'text/event-stream', ...headers });
  answer.write(wire.begin);
  for (const [index, delta] of text.entries()) {
    if (index > 0) await pause(answer, wire, { gapMs, pingMs });
    answer.write(wire.text(delta));
  }
  for (const call of toolCalls) answer.write(chunk({ delta: { tool_calls: [call] }, finish_reason: null }));
  if (toolCalls.length > 0) answer.write(chunk({ delta: {}, finish_reason: 'tool_calls' }));
  answer.end(wire.end);
}

async function pause(
  answer: ServerResponse,
  wire: Wire,
  { gapMs, pingMs }: { readonly gapMs: number; readonly pingMs: number | undefined },
): Promise<void> {
  const until = Date.now() + gapMs;
  while (Date.now() < until) {
    await sleep(Math.min(pingMs ?? gapMs, until - Date.now()));
    if (pingMs !== undefined) answer.write(wire.ping);
  }
}
