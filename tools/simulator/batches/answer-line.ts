/** Answers a line of a batch as the vendor answers a call: by the same rules, with the same faults, and no stream. */
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { endingOf, type Model, modelOf, readCall, refusalOf, startCall, type Wire } from '../serve-call.ts';
import type { BatchLine, LineAnswer } from './batch-run.ts';

interface LineCall {
  readonly batchId: string;
  readonly path: string;
  /** Of the request that created the batch. */
  readonly headers: IncomingHttpHeaders;
  readonly apiKey: string;
  readonly line: BatchLine;
}

const FAILED_STATUS = 500;
/** Faults of an answer that has no connection to break. */
const OF_CONNECTIONS: ReadonlySet<string> = new Set([
  'reset',
  'no-answer',
  'cut',
  'stall',
  'malformed-chunk',
  'in-band-error',
  'error-after-first-event',
  'missing-terminal',
]);

export async function answerLine(wire: Wire, model: Model, call: LineCall): Promise<LineAnswer> {
  const { calls, faults } = model;
  const {
    batchId,
    path,
    headers,
    apiKey,
    line: { customId, body },
  } = call;
  const prompt = JSON.stringify(body);
  calls.receive({ path, headers, body: prompt });
  const refusedWith = (status: number, answer: object): LineAnswer => {
    calls.count(apiKey, { isRefused: true });
    return { status, body: answer, usage: null };
  };
  const fault = faults.take({ wire: wire.name, model: modelOf(path, body), prompt, apiKey });
  if (fault !== null && (fault.kind === 'status' || OF_CONNECTIONS.has(fault.kind))) {
    const status = fault.kind === 'status' ? fault.status : FAILED_STATUS;
    return refusedWith(status, wire.error(status, 'plain', 'Simulated.'));
  }
  if (fault?.kind === 'context-length') return refusedWith(400, wire.error(400, 'context-length', ''));
  const refusal = refusalOf(wire, model, { path, url: path, headers, apiKey, body });
  if (refusal !== null) return refusedWith(refusal.status, refusal.body);
  const read = readCall(wire, path, body);
  if (read instanceof z.ZodError) return refusedWith(400, wire.error(400, 'plain', read.message));
  if (read.isStream || read.isBackground === true) {
    const message = `${read.isStream ? 'stream' : 'background'} is not supported in a batch.`;
    return refusedWith(400, wire.refusal(400, { message }));
  }
  calls.count(apiKey, { isRefused: false });
  const started = startCall(wire, calls, { read, fault, apiKey, body, ofBatch: { batchId, customId } });
  await started.run.end();
  const ending = endingOf(started, fault);
  return { status: 200, body: wire.whole(started, ending), usage: started.usage() };
}
