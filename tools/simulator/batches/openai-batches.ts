/** OpenAI's `/v1/batches`. Sources: the guide "Batch API", and the API reference, "Batches". */
import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DAY_MS } from '../../../contracts/time.ts';
import { answerEmbeddings } from '../embeddings.ts';
import { parseBody } from '../exchange.ts';
import { checkTypes, readTypes } from '../rules/check-types.ts';
import { fieldsOf } from '../rules/json-values.ts';
import { BROKEN_BODY, wrongMetadata } from '../rules/openai-rules.ts';
import { inOpenAiWords } from '../rules/openai-words.ts';
import { chatWire } from '../wires/chat-wire.ts';
import { responsesWire } from '../wires/responses-wire.ts';
import { answerLine } from './answer-line.ts';
import type { BatchPlan } from './batch-plans.ts';
import { type BatchLine, BatchRun, type LineAnswer, type LineOutcome } from './batch-run.ts';
import { type BatchWorld, changesOf } from './batch-world.ts';
import { type BatchRequest, type HttpAnswer, jsonLines, ok, pageAfter } from './http-answer.ts';
import { isBatchFile, isLifetime, listOf, refused } from './openai-files.ts';
import { type BatchProblem, readOpenAiLines } from './read-openai-lines.ts';
import { type StoredFile, type StoredFiles, seconds } from './stored-files.ts';

const TYPES = readTypes('openai-batches');
const MOST_LISTED = 100;
const LISTED = 20;
const WIRES = { '/v1/chat/completions': chatWire, '/v1/responses': responsesWire };

interface CreateBody {
  readonly input_file_id: string;
  readonly endpoint: string;
  readonly completion_window: string;
  readonly metadata?: Readonly<Record<string, string>> | null;
  readonly output_expires_after?: { readonly anchor: string; readonly seconds: number };
}

/** As it was created. */
interface NewBatch {
  readonly id: string;
  readonly apiKey: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: CreateBody;
  readonly plan: BatchPlan;
  readonly createdAtMs: number;
}

interface OpenAiBatch extends NewBatch {
  model: string;
  /** null while it is validated, and where it fails. */
  run: BatchRun | null;
  problems: readonly BatchProblem[];
  startedAtMs: number | null;
  failedAtMs: number | null;
  /** Also while it is validated. */
  isCancelled: boolean;
  /** The files of a batch that has ended. */
  output: StoredFile | null;
  errors: StoredFile | null;
}

export class OpenAiBatches {
  readonly #world: BatchWorld;
  readonly #files: StoredFiles;
  readonly #batches = new Map<string, OpenAiBatch>();

  constructor(world: BatchWorld, files: StoredFiles) {
    this.#world = world;
    this.#files = files;
    const { earlier } = world.records;
    for (const record of earlier) if (record.of === 'openai') this.#add(record.batch as NewBatch);
    for (const record of earlier) {
      const batch = record.of === 'results' ? this.#batches.get(record.id) : undefined;
      if (record.of !== 'results' || batch === undefined) continue;
      batch.output = this.#files.get(record.output ?? '') ?? null;
      batch.errors = this.#files.get(record.errors ?? '') ?? null;
    }
  }

  /** @returns null where the path is not one of batches. */
  serve(request: BatchRequest): HttpAnswer | null {
    const [, id, part] = /^\/v1\/batches(?:\/([^/]+))?(?:\/(cancel))?$/.exec(request.url.pathname) ?? [
      null,
      null,
    ];
    if (id === null) return null;
    const { method, apiKey } = request;
    if (id === undefined) {
      if (method === 'POST') return this.#create(request);
      return method === 'GET' ? this.#list(request) : null;
    }
    const batch = this.#batches.get(id);
    if (batch?.apiKey !== apiKey) return refused(404, { message: `No batch found with id '${id}'.` });
    if (method === 'GET' && part === undefined) return ok(this.#object(batch));
    return method === 'POST' && part === 'cancel' ? this.#cancel(batch) : null;
  }

  /** The batches of all accounts, for the control side. */
  all(): readonly { readonly id: string; readonly apiKey: string; readonly run: BatchRun | null }[] {
    return [...this.#batches.values()];
  }

  #list({ url, apiKey }: BatchRequest): HttpAnswer {
    const limit = Number(url.searchParams.get('limit') ?? LISTED);
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST_LISTED) {
      return refused(400, { message: `Invalid 'limit': expected 1 to ${MOST_LISTED}.`, param: 'limit' });
    }
    const own = [...this.#batches.values()].filter((batch) => batch.apiKey === apiKey).toReversed();
    const page = pageAfter(own, { after: url.searchParams.get('after'), limit });
    return ok(listOf(page, (batch) => this.#object(batch)));
  }

  #create({ bytes, apiKey, headers }: BatchRequest): HttpAnswer {
    const sent = parseBody(bytes);
    if (sent instanceof SyntaxError) return refused(400, { message: BROKEN_BODY });
    const wrong = checkTypes(TYPES, sent);
    if (wrong !== null) return refused(400, inOpenAiWords(wrong));
    const problem = wrongMetadata({ body: fieldsOf(sent) });
    if (problem !== null) return refused(400, problem);
    const body = sent as CreateBody;
    const lifetime = body.output_expires_after;
    if (lifetime !== undefined && !isLifetime(lifetime.anchor, lifetime.seconds)) {
      return refused(400, { message: "Invalid 'output_expires_after'.", param: 'output_expires_after' });
    }
    const file = this.#files.find(apiKey, body.input_file_id);
    if (file === undefined || !isBatchFile(file)) {
      const message = `Invalid input file: ${body.input_file_id} is no file with the purpose 'batch'.`;
      return refused(400, { message, param: 'input_file_id' });
    }
    const { plans, records } = this.#world;
    const plan = plans.take(file.content.toString('utf8'));
    if (plan.refusesWith !== undefined) return refused(plan.refusesWith, { message: 'Simulated.' });
    const id = `batch_${randomBytes(12).toString('hex')}`;
    const created = { id, apiKey, headers, body, plan, createdAtMs: Date.now() };
    records.add({ of: 'openai', id, batch: created });
    return { ...ok(this.#object(this.#add(created))), isLost: plan.losesAnswer };
  }

  #add(created: NewBatch): OpenAiBatch {
    const batch: OpenAiBatch = {
      ...created,
      model: '',
      run: null,
      problems: [],
      startedAtMs: null,
      failedAtMs: null,
      isCancelled: false,
      output: null,
      errors: null,
    };
    this.#batches.set(batch.id, batch);
    void this.#start(batch);
    return batch;
  }

  async #start(batch: OpenAiBatch): Promise<void> {
    const { id, plan, body, createdAtMs: startedAtMs } = batch;
    await nextTurn();
    const content = this.#files.get(body.input_file_id)?.content ?? Buffer.of();
    const { lines, model, problems } = readOpenAiLines(content, body.endpoint);
    batch.model = model;
    batch.problems =
      plan.failsWith === undefined
        ? problems
        : [{ code: plan.failsWith, message: 'Simulated.', line: null, param: null }];
    if (batch.problems.length > 0) {
      batch.failedAtMs = Date.now();
      return;
    }
    batch.startedAtMs = startedAtMs;
    const answer = (line: BatchLine) => this.#answer(batch, line);
    const changes = changesOf(this.#world.records, id);
    batch.run = new BatchRun({ lines, plan, startedAtMs, answer, ...changes });
    if (batch.isCancelled) batch.run.cancel();
  }

  async #answer({ id, body, headers, apiKey }: OpenAiBatch, line: BatchLine): Promise<LineAnswer> {
    const path = body.endpoint;
    const wire = path === '/v1/chat/completions' || path === '/v1/responses' ? WIRES[path] : null;
    if (wire !== null) {
      return answerLine(wire, this.#world.model, { batchId: id, path, headers, apiKey, line });
    }
    try {
      const embeddings = answerEmbeddings(path, line.body);
      if (embeddings !== undefined) return { status: 200, body: embeddings, usage: null };
    } catch {
      return { status: 400, body: refused(400, { message: 'Invalid input.' }).body, usage: null };
    }
    return { status: 404, body: refused(404, { message: `No ${path} here.` }).body, usage: null };
  }

  #cancel(batch: OpenAiBatch): HttpAnswer {
    if (batch.failedAtMs !== null || batch.run?.endedAtMs != null) {
      const message = `Cannot cancel a batch with status '${this.#statusOf(batch)}'.`;
      return refused(409, { message });
    }
    batch.isCancelled = true;
    batch.run?.cancel();
    return ok(this.#object(batch));
  }

  #statusOf({ run, failedAtMs }: OpenAiBatch): string {
    if (failedAtMs !== null) return 'failed';
    if (run === null) return 'validating';
    if (run.stop === 'cancelled') return run.endedAtMs === null ? 'cancelling' : 'cancelled';
    if (run.endedAtMs === null) return 'in_progress';
    return run.stop === 'expired' ? 'expired' : 'completed';
  }

  #object(batch: OpenAiBatch): { readonly id: string } {
    const { id, body, run, problems, model, createdAtMs, startedAtMs, failedAtMs } = batch;
    this.#writeFiles(batch);
    const status = this.#statusOf(batch);
    const at = (ms: number | null | undefined) => (ms == null ? null : seconds(ms));
    const endedAt = at(run?.endedAtMs);
    const object = {
      id,
      object: 'batch',
      endpoint: body.endpoint,
      model: model === '' ? null : model,
      errors: problems.length === 0 ? null : { object: 'list', data: problems },
      input_file_id: body.input_file_id,
      completion_window: body.completion_window,
      status,
      output_file_id: batch.output?.id ?? null,
      error_file_id: batch.errors?.id ?? null,
      created_at: at(createdAtMs),
      in_progress_at: at(startedAtMs),
      expires_at: at(run?.expiresAtMs ?? createdAtMs + DAY_MS),
      finalizing_at: run?.stop == null ? endedAt : null,
      completed_at: status === 'completed' ? endedAt : null,
      failed_at: at(failedAtMs),
      expired_at: status === 'expired' ? endedAt : null,
      cancelling_at: run?.stop === 'cancelled' ? at(run.stoppedAtMs) : null,
      cancelled_at: status === 'cancelled' ? endedAt : null,
      request_counts: {
        total: run?.total ?? 0,
        completed: run?.billed ?? 0,
        failed: (run?.answered ?? 0) - (run?.billed ?? 0),
      },
      usage: usageOf(run),
      metadata: body.metadata ?? null,
    };
    return object;
  }

  /** A file without a line is not written. */
  #writeFiles(batch: OpenAiBatch): void {
    const { run } = batch;
    if (run === null || run.endedAtMs === null || batch.output !== null || batch.errors !== null) return;
    const results = run.results();
    const fileOf = (name: string, isOf: (outcome: LineOutcome) => boolean) => {
      const lines = results.flatMap(([customId, outcome]) =>
        isOf(outcome) ? [lineOf(customId, outcome)] : [],
      );
      if (lines.length === 0) return null;
      const { apiKey, body } = batch;
      const lasts = body.output_expires_after?.seconds;
      return this.#files.add({
        apiKey,
        filename: `${batch.id}_${name}.jsonl`,
        purpose: 'batch_output',
        content: jsonLines(lines),
        expiresAtMs: lasts === undefined ? null : Date.now() + lasts * 1_000,
      });
    };
    batch.output = fileOf('output', isSuccess);
    batch.errors = fileOf('error', (outcome) => !isSuccess(outcome));
    const { id, output, errors } = batch;
    this.#world.records.add({
      of: 'results',
      id,
      output: output?.id ?? null,
      errors: errors?.id ?? null,
    });
  }
}

function isSuccess(outcome: LineOutcome): boolean {
  return outcome.type === 'answered' && outcome.status === 200;
}

/** OpenAI API reference, "The request output object": an answer, or the error of a request that was not made. */
const NEVER_MADE = {
  expired: {
    code: 'batch_expired',
    message: 'This request could not be executed before the completion window expired.',
  },
  cancelled: {
    code: 'batch_cancelled',
    message: 'The batch was cancelled before this request was executed.',
  },
} as const;

function lineOf(customId: string, outcome: LineOutcome): object {
  const head = { id: `batch_req_${randomBytes(12).toString('hex')}`, custom_id: customId };
  if (outcome.type !== 'answered') return { ...head, response: null, error: NEVER_MADE[outcome.type] };
  const { status, body } = outcome;
  const response = { status_code: status, request_id: `req_${randomBytes(8).toString('hex')}`, body };
  return { ...head, response, error: null };
}

function usageOf(run: BatchRun | null): object {
  const used = (run?.results() ?? []).flatMap(([, outcome]) =>
    outcome.type === 'answered' && outcome.usage !== null ? [outcome.usage] : [],
  );
  const sum = (count: (usage: (typeof used)[number]) => number) =>
    used.reduce((total, usage) => total + count(usage), 0);
  const [input, output] = [sum((usage) => usage.input), sum((usage) => usage.output)];
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: sum(({ cached }) => cached) },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: sum(({ reasoning }) => reasoning) },
    total_tokens: input + output,
  };
}
