/** One call, the same for every wire: read, count, fail by command, generate, and write in the wire's own format. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Calls, SimulatedCall, SimulatedUsage } from './calls.ts';
import { apiKeyOf, failBeforeAnswer, failInAnswer, relayRun, sendJson, startSse } from './exchange.ts';
import type { Fault, Faults, WireName } from './faults.ts';
import type { RateLimits } from './rate-limits.ts';
import type { Piece, SimulatedInput } from './true-text.ts';

export interface WireRequest {
  readonly model: string;
  readonly input: SimulatedInput;
  readonly maxTokens?: number | undefined;
  readonly isStream: boolean;
  readonly isBackground?: boolean | undefined;
  /** Whether the caller asked for the usage; most vendors tell it always. */
  readonly wantsUsage?: boolean | undefined;
}

export interface Ending {
  readonly reason: 'stop' | 'length' | 'tool-calls' | 'content-filter' | 'refusal';
  /** null: not told. */
  readonly usage: SimulatedUsage | null;
}

/** Writes one answer as events. */
export interface AnswerWriter {
  begin(): void;
  piece(piece: Piece): void;
  end(ending: Ending): void;
  /** An error in the middle of the stream. */
  error(): void;
  /** A chunk that cannot be read. */
  broken(): string;
}

export type ErrorKind = 'plain' | 'context-length' | 'content-filter' | 'prefill';

export interface Wire {
  readonly name: WireName;
  newId(): string;
  /** @returns null where the path is not of this wire. @throws ZodError where the body is not of its format. */
  read(path: string, body: unknown): WireRequest | null;
  /** The body of an error answer. */
  error(status: number, kind: ErrorKind, message: string): object;
  writer(call: SimulatedCall, response: ServerResponse): AnswerWriter;
  /** The answer in one piece. */
  whole(call: SimulatedCall, ending: Ending): object;
  /** Why the real API would answer this request with a 400; null where it would not. */
  refusalOf?(request: WireRequest, fault: Fault | null): string | null;
}

export interface Model {
  readonly calls: Calls;
  readonly faults: Faults;
  readonly limits: RateLimits;
}

/** @returns whether the call was one of this wire. */
export async function serveCall(
  wire: Wire,
  { calls, faults, limits }: Model,
  http: { request: IncomingMessage; response: ServerResponse; path: string; body: unknown },
): Promise<boolean> {
  const { request, response, path, body } = http;
  const asked = readCall(wire, path, body);
  if (asked === null) return false;
  const apiKey = apiKeyOf(request);
  const refuse = (status: number, kind: ErrorKind, message: string, headers = {}) => {
    calls.count(apiKey, true);
    sendJson(response, status, wire.error(status, kind, message), headers);
    return true;
  };
  if (asked instanceof z.ZodError) return refuse(400, 'plain', asked.message);
  const limited = limits.take(apiKey);
  if (limited.isRefused) return refuse(429, 'plain', 'Simulated.', limited.headers);
  for (const [name, value] of Object.entries(limited.headers)) response.setHeader(name, value);
  const prompt = JSON.stringify(body);
  const fault = faults.take({ wire: wire.name, model: asked.model, prompt, apiKey });
  if (await failBeforeAnswer(fault, response, (status) => wire.error(status, 'plain', 'Simulated.'))) {
    calls.count(apiKey, true);
    return true;
  }
  if (fault?.kind === 'context-length') return refuse(400, 'context-length', '');
  const refusal = wire.refusalOf?.(asked, fault) ?? null;
  if (refusal !== null) return refuse(400, 'prefill', refusal);
  calls.count(apiKey, false);
  const call = calls.start({
    id: wire.newId(),
    wire: wire.name,
    model: asked.model,
    input: asked.input,
    maxTokens: asked.maxTokens,
    apiKey,
    isBackground: asked.isBackground === true,
    wantsUsage: asked.wantsUsage === true,
    isEmpty: fault?.kind === 'empty',
    beginsAgain: fault?.kind === 'ignore-continuation',
    salt: fault?.kind === 'nondeterministic' ? String(Math.random()) : '',
  });
  if (!call.isBackground) response.once('close', () => call.run.cancel());
  if (asked.isStream) {
    await streamAnswer(wire.writer(call, response), call, response, fault);
  } else {
    // A background response is answered at once, and asked for again.
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
  if ((await relayRun(call.run, response, (piece) => writer.piece(piece), failsAt)) === 'left') {
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
