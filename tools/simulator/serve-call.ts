/**
 * One call, the same for every wire: read it, count it, apply its fault, generate, and write the answer in the format
 * of the wire.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Calls, SimulatedCall, SimulatedUsage } from './calls.ts';
import type { SimulatedInput } from './conversation.ts';
import { apiKeyOf, failBeforeAnswer, failInAnswer, relayRun, sendJson, startSse } from './exchange.ts';
import type { Fault, Faults, WireName } from './faults.ts';
import type { RateLimits } from './rate-limits.ts';
import type { AnswerToken } from './true-text.ts';

export interface WireRequest {
  readonly model: string;
  readonly input: SimulatedInput;
  readonly maxTokens?: number | undefined;
  readonly isStream: boolean;
  readonly isBackground?: boolean | undefined;
  /** Whether the caller asked for the usage; most vendors report it always. */
  readonly wantsUsage?: boolean | undefined;
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
  /** A chunk that is no valid JSON. */
  broken(): string;
}

export type ErrorKind = 'plain' | 'context-length' | 'content-filter' | 'prefill';

export interface Wire {
  readonly name: WireName;
  newId(): string;
  /** @returns null where the path belongs to another wire. @throws ZodError where the body has another format. */
  read(path: string, body: unknown): WireRequest | null;
  /** The body of an error answer. */
  error(status: number, kind: ErrorKind, message: string): object;
  writer(call: SimulatedCall, response: ServerResponse): AnswerWriter;
  /** The answer to a request that does not stream. */
  whole(call: SimulatedCall, ending: Ending): object;
  /** The message of the 400 with which the real API refuses this request; null where it accepts it. */
  refusalOf?(request: WireRequest, fault: Fault | null): string | null;
}

export interface Model {
  readonly calls: Calls;
  readonly faults: Faults;
  readonly limits: RateLimits;
}

/** @returns whether the path belongs to this wire. */
export async function serveCall(
  wire: Wire,
  { calls, faults, limits }: Model,
  http: { request: IncomingMessage; response: ServerResponse; path: string; body: unknown },
): Promise<boolean> {
  const { request, response, path, body } = http;
  const read = readCall(wire, path, body);
  if (read === null) return false;
  const prompt = JSON.stringify(body);
  calls.receive({ path, headers: request.headers, body: prompt });
  const apiKey = apiKeyOf(request);
  const refuse = (status: number, kind: ErrorKind, message: string, headers = {}) => {
    calls.count(apiKey, { isRefused: true });
    sendJson(response, status, wire.error(status, kind, message), headers);
    return true;
  };
  if (read instanceof z.ZodError) return refuse(400, 'plain', read.message);
  const limited = limits.take(apiKey);
  if (limited.isRefused) return refuse(429, 'plain', 'Simulated.', limited.headers);
  for (const [name, value] of Object.entries(limited.headers)) response.setHeader(name, value);
  const fault = faults.take({ wire: wire.name, model: read.model, prompt, apiKey });
  if (await failBeforeAnswer(fault, response, (status) => wire.error(status, 'plain', 'Simulated.'))) {
    calls.count(apiKey, { isRefused: true });
    return true;
  }
  if (fault?.kind === 'context-length') return refuse(400, 'context-length', '');
  const refusal = wire.refusalOf?.(read, fault) ?? null;
  if (refusal !== null) return refuse(400, 'prefill', refusal);
  calls.count(apiKey, { isRefused: false });
  const call = calls.start({
    id: wire.newId(),
    wire: wire.name,
    model: read.model,
    input: read.input,
    maxTokens: read.maxTokens,
    apiKey,
    body,
    isBackground: read.isBackground === true,
    wantsUsage: read.wantsUsage === true,
    isEmpty: fault?.kind === 'empty',
    startsOver: fault?.kind === 'ignore-continuation',
    salt: fault?.kind === 'nondeterministic' ? String(Math.random()) : '',
  });
  if (!call.isBackground) response.once('close', () => call.run.cancel());
  if (read.isStream) {
    await streamAnswer(wire.writer(call, response), call, response, fault);
  } else {
    // A background response is returned at once, and the caller polls it.
    if (!call.isBackground) await call.run.end();
    sendJson(response, 200, wire.whole(call, endingOf(call, fault)));
  }
  return true;
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
  if ((await relayRun(call.run, response, (token) => writer.token(token), failsAt)) === 'interrupted') {
    if (fault?.kind === 'in-band-error' || fault?.kind === 'error-after-first-event') call.run.cancel();
    return;
  }
  if (fault?.kind !== 'missing-terminal') {
    writer.end(endingOf(call, fault));
  }
  response.end();
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

function readCall(wire: Wire, path: string, body: unknown): WireRequest | z.ZodError | null {
  try {
    return wire.read(path, body);
  } catch (error) {
    if (error instanceof z.ZodError) return error;
    throw error;
  }
}
