/**
 * One call, the same for every wire: read it, count it, apply its fault, generate, and write the answer in the format
 * of the wire.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { BatchLineName, Calls, SimulatedCall, SimulatedUsage } from './calls.ts';
import type { SimulatedInput } from './conversation.ts';
import { apiKeyOf, failBeforeAnswer, failInAnswer, relayRun, sendJson, startSse } from './exchange.ts';
import type { Fault, Faults, WireName } from './faults.ts';
import type { Leniency } from './leniency.ts';
import type { RateLimits } from './rate-limits.ts';
import { type Problem, type Rule, refuse } from './rules/rule.ts';
import type { AnswerToken, Obedience } from './true-text.ts';

interface WireRequest {
  readonly model: string;
  readonly input: SimulatedInput;
  readonly maxTokens?: number | undefined;
  readonly isStream: boolean;
  readonly isBackground?: boolean | undefined;
  /** Whether the caller asked for the usage; most vendors report it always. */
  readonly wantsUsage?: boolean | undefined;
  /** Whether reasoning is returned encrypted, beside its summary. */
  readonly wantsEncrypted?: boolean | undefined;
  /** How many alternatives of each token to report; absent: no log probabilities. */
  readonly logprobs?: number | undefined;
}

export interface Ending {
  readonly reason: 'stop' | 'length' | 'tool-calls' | 'content-filter' | 'refusal';
  /** null: not reported. */
  readonly usage: SimulatedUsage | null;
}

/** Writes one answer as events. */
export interface AnswerWriter {
  begin(): void;
  token(token: AnswerToken): void;
  end(ending: Ending): void;
  /** An error in the middle of the stream. */
  error(): void;
  /** A sign of life that holds nothing. */
  ping(): void;
  /** A chunk that is no valid JSON. */
  broken(): string;
}

export type ErrorKind = 'plain' | 'context-length' | 'content-filter';

export interface Wire {
  readonly name: WireName;
  newId(): string;
  /** Whether calls of this wire have the path. */
  owns(path: string): boolean;
  /** What the vendor refuses, in its words. */
  readonly rules: readonly Rule[];
  refusal(status: number, problem: Problem): object;
  /** Its words for a body that is no JSON. */
  readonly brokenBody: string;
  /** @throws ZodError where the body has another format. */
  read(path: string, body: unknown): WireRequest;
  /** The body of an error answer. */
  error(status: number, kind: ErrorKind, message: string): object;
  writer(call: SimulatedCall, response: ServerResponse): AnswerWriter;
  /** The answer to a request that does not stream. */
  whole(call: SimulatedCall, ending: Ending): object;
}

export interface Model {
  readonly calls: Calls;
  readonly faults: Faults;
  readonly limits: RateLimits;
  readonly leniency: Leniency;
}

interface HttpCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly body: unknown;
}

/** @param http whose path belongs to this wire. */
export async function serveCall(wire: Wire, model: Model, http: HttpCall): Promise<void> {
  const { calls, faults, limits } = model;
  const { request, response, path, body } = http;
  const prompt = JSON.stringify(body);
  calls.receive({ path, headers: request.headers, body: prompt });
  const apiKey = apiKeyOf(request);
  const refuseWith = (status: number, answer: object, headers = {}) => {
    calls.count(apiKey, { isRefused: true });
    sendJson(response, status, answer, headers);
  };
  const limited = limits.take(apiKey);
  if (limited.isRefused) return refuseWith(429, wire.error(429, 'plain', 'Simulated.'), limited.headers);
  for (const [name, value] of Object.entries(limited.headers)) response.setHeader(name, value);
  const fault = faults.take({ wire: wire.name, model: modelOf(path, body), prompt, apiKey });
  if (await failBeforeAnswer(fault, response, (status) => wire.error(status, 'plain', 'Simulated.'))) {
    calls.count(apiKey, { isRefused: true });
    return;
  }
  if (fault?.kind === 'context-length') return refuseWith(400, wire.error(400, 'context-length', ''));
  const checked = { path, url: request.url ?? path, headers: request.headers, apiKey, body };
  const refusal = refusalOf(wire, model, checked) ?? prefillRefusal(wire, fault, body);
  if (refusal !== null) return refuseWith(refusal.status, refusal.body);
  const read = readCall(wire, path, body);
  if (read instanceof z.ZodError) return refuseWith(400, wire.error(400, 'plain', read.message));
  calls.count(apiKey, { isRefused: false });
  const call = startCall(wire, calls, { read, fault, apiKey, body });
  if (!call.isBackground) response.once('close', () => call.run.cancel());
  if (read.isStream) return streamAnswer(wire.writer(call, response), call, response, fault);
  // A background response is returned at once, and the caller polls it.
  if (!call.isBackground) await call.run.end();
  sendJson(response, 200, wire.whole(call, endingOf(call, fault)));
}

/** What the rules of a vendor look at. */
interface CheckedCall {
  readonly path: string;
  /** The path with its query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly apiKey: string;
  readonly body: unknown;
}

export function refusalOf(
  wire: Wire,
  { calls, leniency }: Model,
  { path, url, headers, apiKey, body }: CheckedCall,
) {
  if (leniency.isFor(() => `${path} ${JSON.stringify(body)}`)) return null;
  const fields = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const hasResponse = (id: string) => calls.find(id) !== undefined;
  const checked = { path: url, headers, apiKey, body: fields, hasResponse };
  return refuse(wire.rules, checked, (status, problem) => wire.refusal(status, problem));
}

/** A model without prefill, whatever its name. */
function prefillRefusal(wire: Wire, fault: Fault | null, body: unknown) {
  if (fault?.kind !== 'refuse-prefill') return null;
  const { messages } = body as { messages?: readonly { role: string }[] };
  if (messages?.at(-1)?.role !== 'assistant') return null;
  const message =
    'This model does not support assistant message prefill. The conversation must end with a user message.';
  return { status: 400, body: wire.refusal(400, { message }) };
}

/** Google names it in the path. */
export function modelOf(path: string, body: unknown): string {
  const [, named] = /\/models\/([^/:]+):/.exec(path) ?? [];
  return named ?? String((body as { model?: unknown } | null)?.model ?? '');
}

const OBEDIENCE: Partial<Record<Fault['kind'], Obedience>> = {
  'ignore-continuation': 'starts over',
  'repeat-tail': 'repeats its last words',
  'paraphrase-continuation': 'paraphrases',
};

export function startCall(
  wire: Wire,
  calls: Calls,
  call: { read: WireRequest; fault: Fault | null; apiKey: string; body: unknown; ofBatch?: BatchLineName },
): SimulatedCall {
  const { read, fault, apiKey, body, ofBatch = null } = call;
  return calls.start({
    id: wire.newId(),
    wire: wire.name,
    model: read.model,
    input: read.input,
    maxTokens: read.maxTokens,
    apiKey,
    body,
    ofBatch,
    isBackground: read.isBackground === true,
    wantsUsage: read.wantsUsage === true,
    wantsEncrypted: read.wantsEncrypted === true,
    logprobs: read.logprobs ?? null,
    isEmpty: fault?.kind === 'empty',
    obedience: fault === null ? null : (OBEDIENCE[fault.kind] ?? null),
    gap: fault?.kind === 'silence' ? { afterTokens: fault.afterTokens, ms: fault.delayMs } : null,
    pingMs: fault?.kind === 'pings' ? fault.delayMs : null,
    says: fault?.kind === 'says' ? fault.text : null,
    salt: fault?.kind === 'nondeterministic' ? String(Math.random()) : '',
  });
}

export async function streamAnswer(
  writer: AnswerWriter,
  call: SimulatedCall,
  response: ServerResponse,
  fault: Fault | null,
): Promise<void> {
  startSse(response);
  writer.begin();
  const failsAt = (sent: number) => failInAnswer(fault, sent, response, writer);
  const stopPings = pingUntilEnd(writer, call, response);
  response.once('close', stopPings);
  if ((await relayRun(call.run, response, (token) => writer.token(token), failsAt)) === 'interrupted') {
    if (fault?.kind === 'in-band-error' || fault?.kind === 'error-after-first-event') call.run.cancel();
    return;
  }
  stopPings();
  if (fault?.kind !== 'missing-terminal') {
    writer.end(endingOf(call, fault));
  }
  response.end();
}

function pingUntilEnd(writer: AnswerWriter, { pingMs }: SimulatedCall, response: ServerResponse): () => void {
  if (pingMs === 0) return () => undefined;
  const timer = setInterval(() => {
    if (!response.writableEnded && !response.destroyed) writer.ping();
  }, pingMs).unref();
  return () => clearInterval(timer);
}

export function endingOf(call: SimulatedCall, fault: Fault | null): Ending {
  const usage = reportedUsage(call, fault);
  if (fault?.kind === 'content-filter' || fault?.kind === 'refusal') return { reason: fault.kind, usage };
  if (call.isCut) return { reason: 'length', usage };
  return { reason: call.toolCalls.length > 0 && !call.isEmpty ? 'tool-calls' : 'stop', usage };
}

function reportedUsage(call: SimulatedCall, fault: Fault | null): SimulatedUsage | null {
  if (fault?.kind === 'no-usage') return null;
  if (fault?.kind !== 'wrong-usage') return call.usage();
  return { input: -7, cached: 1_000_000, written: -1, output: 3, reasoning: 500 };
}

export function readCall(wire: Wire, path: string, body: unknown): WireRequest | z.ZodError {
  try {
    return wire.read(path, body);
  } catch (error) {
    if (error instanceof z.ZodError) return error;
    throw error;
  }
}
