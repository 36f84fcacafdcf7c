/** Anthropic's `/v1/messages/batches`. Sources: the guide "Batch processing"; API reference, "Message Batches". */
import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { parseBody } from '../exchange.ts';
import { type Fields, fieldsOf, objectsOf } from '../rules/json-values.ts';
import { anthropicWire } from '../wires/anthropic-wire.ts';
import { answerLine } from './answer-line.ts';
import type { BatchPlan } from './batch-plans.ts';
import { type BatchLine, BatchRun, type LineOutcome } from './batch-run.ts';
import { type BatchWorld, changesOf } from './batch-world.ts';
import { type BatchRequest, type HttpAnswer, jsonLines, ok, pageAfter } from './http-answer.ts';

const CUSTOM_ID = /^[a-zA-Z0-9_-]{1,64}$/;
const MOST_REQUESTS = 100_000;
export const MESSAGE_BATCH_BYTES = 256 * 1024 * 1024;
const MOST_LISTED = 1_000;
const LISTED = 20;

/** As it was created. */
interface NewBatch {
  readonly id: string;
  readonly apiKey: string;
  readonly headers: IncomingHttpHeaders;
  readonly createdAtMs: number;
  readonly lines: readonly BatchLine[];
  readonly plan: BatchPlan;
}

interface MessageBatch extends NewBatch {
  readonly run: BatchRun;
}

export class AnthropicBatches {
  readonly #world: BatchWorld;
  readonly #batches = new Map<string, MessageBatch>();

  constructor(world: BatchWorld) {
    this.#world = world;
    const { earlier } = world.records;
    for (const record of earlier) if (record.of === 'anthropic') this.#start(record.batch as NewBatch);
    for (const record of earlier) if (record.of === 'deleted-batch') this.#batches.delete(record.id);
  }

  /** @returns null where the path is not one of message batches. */
  serve(request: BatchRequest): HttpAnswer | null {
    const pattern = /^\/v1\/messages\/batches(?:\/([^/]+))?(?:\/(cancel|results))?$/;
    const [, id, part] = pattern.exec(request.url.pathname) ?? [null, null];
    if (id === null) return null;
    const { method, headers, apiKey } = request;
    if (headers['anthropic-version'] === undefined) {
      return refused(400, 'anthropic-version: header is required');
    }
    if (id === undefined) {
      if (method === 'POST') return this.#create(request);
      return method === 'GET' ? this.#list(request) : null;
    }
    const batch = this.#batches.get(id);
    if (batch?.apiKey !== apiKey) return refused(404, `Message batch ${id} not found.`);
    if (method === 'GET') return part === 'results' ? resultsOf(batch) : ok(objectOf(batch));
    if (method === 'POST' && part === 'cancel') return cancel(batch);
    return method === 'DELETE' && part === undefined ? this.#delete(batch) : null;
  }

  /** The batches of all accounts, for the control side. */
  all(): readonly { readonly id: string; readonly apiKey: string; readonly run: BatchRun }[] {
    return [...this.#batches.values()];
  }

  #create({ bytes, headers, apiKey }: BatchRequest): HttpAnswer {
    const body = parseBody(bytes);
    if (body instanceof SyntaxError) return refused(400, anthropicWire.brokenBody);
    const problem = problemOf(fieldsOf(body));
    if (problem !== null) return refused(400, problem);
    const { plans, records } = this.#world;
    const plan = plans.take(bytes.toString('utf8'));
    if (plan.refusesWith !== undefined) return refused(plan.refusesWith, 'Simulated.');
    const id = `msgbatch_${randomBytes(12).toString('hex')}`;
    const lines = objectsOf(fieldsOf(body)['requests']).map(({ custom_id, params }) => ({
      customId: String(custom_id),
      body: params,
    }));
    const created = { id, apiKey, headers: { ...headers }, createdAtMs: Date.now(), lines, plan };
    records.add({ of: 'anthropic', id, batch: created });
    const batch = this.#start(created);
    return { ...ok(objectOf(batch)), isLost: plan.losesAnswer };
  }

  #start(created: NewBatch): MessageBatch {
    const { model, records } = this.#world;
    const { id, apiKey, headers, createdAtMs: startedAtMs, lines, plan } = created;
    const answer = (line: BatchLine) =>
      answerLine(anthropicWire, model, { batchId: id, path: '/v1/messages', headers, apiKey, line });
    const run = new BatchRun({ lines, plan, startedAtMs, answer, ...changesOf(records, id) });
    const batch = { ...created, run };
    this.#batches.set(id, batch);
    return batch;
  }

  /** Most recent first. */
  #list({ url, apiKey }: BatchRequest): HttpAnswer {
    const query = url.searchParams;
    const limit = Number(query.get('limit') ?? LISTED);
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST_LISTED) {
      return refused(400, `limit: Input should be between 1 and ${MOST_LISTED}`);
    }
    const own = [...this.#batches.values()].filter((batch) => batch.apiKey === apiKey).toReversed();
    const before = query.get('before_id');
    // The page before an id ends with the one next to it.
    const end = before === null ? own.length : own.findIndex(({ id }) => id === before);
    const rest = before === null ? own : own.slice(Math.max(0, end - limit), end);
    const { data, hasMore } = pageAfter(rest, { after: query.get('after_id'), limit });
    return ok({
      data: data.map(objectOf),
      has_more: before === null ? hasMore : end > limit,
      first_id: data.at(0)?.id ?? null,
      last_id: data.at(-1)?.id ?? null,
    });
  }

  #delete({ id, run }: MessageBatch): HttpAnswer {
    if (run.endedAtMs === null) return refused(400, `Message batch ${id} has not ended; cancel it first.`);
    this.#batches.delete(id);
    this.#world.records.add({ of: 'deleted-batch', id });
    return ok({ id, type: 'message_batch_deleted' });
  }
}

/** The parameters of a request are checked only when it is its turn (the guide "Batch processing"). */
function problemOf(body: Fields): string | null {
  const { requests, ...others } = body;
  const [other] = Object.keys(others);
  if (other !== undefined) return `${other}: Extra inputs are not permitted`;
  if (requests === undefined) return 'requests: Field required';
  if (!Array.isArray(requests)) return 'requests: Input should be a valid list';
  if (requests.length === 0) return 'requests: List should have at least 1 item after validation, not 0';
  if (requests.length > MOST_REQUESTS) {
    return `requests: List should have at most ${MOST_REQUESTS} items after validation, not ${requests.length}`;
  }
  const ids = new Set<string>();
  for (const [index, request] of requests.entries()) {
    const { custom_id: id, params, ...unknown } = fieldsOf(request);
    const at = `requests.${index}`;
    const [extra] = Object.keys(unknown);
    if (extra !== undefined) return `${at}.${extra}: Extra inputs are not permitted`;
    if (id === undefined) return `${at}.custom_id: Field required`;
    if (params === undefined) return `${at}.params: Field required`;
    if (typeof id !== 'string' || !CUSTOM_ID.test(id)) {
      return `${at}.custom_id: String should match pattern '${CUSTOM_ID.source}'`;
    }
    if (ids.has(id)) return `${at}.custom_id: the custom_id ${id} is not unique in the batch`;
    ids.add(id);
  }
  return null;
}

function cancel(batch: MessageBatch): HttpAnswer {
  if (batch.run.endedAtMs !== null) return refused(400, `Message batch ${batch.id} has already ended.`);
  batch.run.cancel();
  return ok(objectOf(batch));
}

function resultsOf({ id, run }: MessageBatch): HttpAnswer {
  if (run.endedAtMs === null) return refused(404, `Message batch ${id} has no results yet.`);
  return { status: 200, body: jsonLines(run.results().map(resultOf)) };
}

function resultOf([customId, outcome]: readonly [string, LineOutcome]): object {
  const result = () => {
    if (outcome.type !== 'answered') return { type: outcome.type === 'cancelled' ? 'canceled' : 'expired' };
    return outcome.status === 200
      ? { type: 'succeeded', message: inBatchTier(outcome.body) }
      : { type: 'errored', error: outcome.body };
  };
  return { custom_id: customId, result: result() };
}

/** The usage names the tier that the vendor bills. */
function inBatchTier(message: object): object {
  const { usage } = message as { readonly usage?: object };
  return { ...message, ...(usage === undefined ? {} : { usage: { ...usage, service_tier: 'batch' } }) };
}

function objectOf({ id, headers, createdAtMs, run }: MessageBatch) {
  const { endedAtMs, stop, stoppedAtMs } = run;
  const date = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  const hasEnded = endedAtMs !== null;
  // Until it has ended, all of its requests count as processing.
  const count = (matches: (outcome: LineOutcome) => boolean) => (hasEnded ? run.count(matches) : 0);
  const status = stop === 'cancelled' ? 'canceling' : 'in_progress';
  return {
    id,
    type: 'message_batch',
    processing_status: hasEnded ? 'ended' : status,
    request_counts: {
      processing: hasEnded ? 0 : run.total,
      succeeded: count((outcome) => outcome.type === 'answered' && outcome.status === 200),
      errored: count((outcome) => outcome.type === 'answered' && outcome.status !== 200),
      canceled: count(({ type }) => type === 'cancelled'),
      expired: count(({ type }) => type === 'expired'),
    },
    created_at: date(createdAtMs),
    expires_at: date(run.expiresAtMs),
    ended_at: date(endedAtMs),
    cancel_initiated_at: stop === 'cancelled' ? date(stoppedAtMs) : null,
    archived_at: null,
    // The address of its results has the host where it was created.
    results_url: hasEnded ? `http://${headers.host}/v1/messages/batches/${id}/results` : null,
  };
}

function refused(status: number, message: string): HttpAnswer {
  return { status, body: anthropicWire.refusal(status, { message }) };
}

export function tooLargeForAnthropic(): HttpAnswer {
  const error = {
    type: 'request_too_large',
    message: 'Request exceeds the maximum allowed number of bytes.',
  };
  return { status: 413, body: { type: 'error', error } };
}
