/**
 * The lines of batches, in the formats of the vendors: what a line asks for is submitted by the code that takes the
 * same request alone, and its result is what a client of that request would have got.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { BatchEndpoint } from '../../contracts/batches.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationOrder } from '../../contracts/generation.ts';
import { jsonFault } from '../../contracts/json-limits.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { addUsage, NO_USAGE } from '../../contracts/money.ts';
import { EMBEDDINGS_ID_PREFIX } from '../../contracts/names.ts';
import type { BatchLine, LineResponse, LineResult } from '../../engine/batches/batch-line.ts';
import type { ResultLine } from '../../engine/batches/batch-objects.ts';
import type { BatchSpec, KeptAnswer } from '../../engine/batches/batch-store.ts';
import type { EndedLine, LineAnswer, LineFormats } from '../../engine/batches/line-formats.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { endStranded } from '../generations/end-stranded.ts';
import { orderGeneration, type SubmitDependencies } from '../generations/submit-generation.ts';
import { parseWith } from '../http/read-request.ts';
import { toPublicError } from '../http/to-public-error.ts';
import { toGenerationFailure } from '../relay/hold-status.ts';
import { type Answer, foldAnswer } from '../wires/answer.ts';
import { toAnthropicError } from '../wires/anthropic-messages/errors.ts';
import { wholeMessage } from '../wires/anthropic-messages/project.ts';
import { betasIn, mapMessagesRequest, messagesSchema } from '../wires/anthropic-messages/request.ts';
import { idOfChoice, ofChoice } from '../wires/choices.ts';
import { usesFunctions } from '../wires/openai-chat/functions.ts';
import { wholeChat } from '../wires/openai-chat/project.ts';
import { chatCompletionSchema, mapChatRequest } from '../wires/openai-chat/request.ts';
import { bookEmbeddings, callEmbeddings } from '../wires/openai-embeddings/embed.ts';
import { embeddingsSchema, resolveEmbeddingsTarget } from '../wires/openai-embeddings/request.ts';
import { openAiStatus, toOpenAiError } from '../wires/openai-responses/errors.ts';
import { validRequest, type WireRequest } from '../wires/wire.ts';
import { answerOfResponse, mapResponseLine } from './response-lines.ts';

type LineDependencies = SubmitDependencies & Pick<ApiDependencies, 'conversations' | 'countTexts'>;

/** An end within this of the end of the batch's time came of it: two clocks say when that was. */
const SAME_MOMENT_MS = 1_000;

/** A beta of the request for the batch, which those of its lines do not have. */
const OF_BATCHES = 'message-batches-';

const namesModel = z.looseObject({
  model: z.string().default(''),
  n: z.number().nullish(),
  functions: z.array(z.unknown()).nullish(),
});

export class VendorLineFormats implements LineFormats {
  readonly #dependencies: LineDependencies;
  readonly #logKeptMs: number;

  /** @param logKeptMs how long the log of a line is kept after the end of its batch's time. */
  constructor(dependencies: LineDependencies, { logKeptMs }: { readonly logKeptMs: number }) {
    this.#dependencies = dependencies;
    this.#logKeptMs = logKeptMs;
  }

  generationsOf(spec: BatchSpec, line: BatchLine): number {
    return spec.endpoint === '/v1/embeddings' ? 0 : generationIds(spec, line).length;
  }

  async order(spec: BatchSpec, line: BatchLine): Promise<readonly GenerationOrder[] | null> {
    if (spec.endpoint === '/v1/embeddings') return null;
    assertLimits(this.#dependencies, line);
    const wire = await this.#map(spec, line);
    const request = validRequest(this.#dependencies, spec.owner, wire, headersOf(spec));
    const [firstId = '', ...otherIds] = generationIds(spec, line);
    const count = otherIds.length + 1;
    const { origin, compactAt } = wire;
    const orders: GenerationOrder[] = [];
    for (const [index, generationId] of [firstId, ...otherIds].entries()) {
      const several = count === 1 ? {} : { choice: { index, count, ...(index === 0 ? {} : { firstId }) } };
      const leftMs = spec.deadlineAtMs - Date.now();
      const submission = {
        request: {
          ...(count === 1 ? request : ofChoice(request, index)),
          deadlineMs: Math.max(LIMITS.minDeadlineMs, leftMs),
        },
        generationId,
        keptMs: Math.max(0, leftMs) + this.#logKeptMs,
        origin,
        compactAt,
        ...several,
      };
      const ordered = await orderGeneration(this.#dependencies, spec.owner, submission, null);
      if (ordered?.order != null) orders.push(inNoHurry(ordered.order, spec));
    }
    return orders;
  }

  async embed(spec: BatchSpec, line: BatchLine): Promise<KeptAnswer> {
    assertLimits(this.#dependencies, line);
    const body = parseWith(embeddingsSchema, line.body);
    const target = resolveEmbeddingsTarget(this.#dependencies.config, body);
    const generationId = `${EMBEDDINGS_ID_PREFIX}${hashOf(spec, line.customId)}`;
    const call = { caller: spec.owner, body, target, generationId };
    const { answer, error, user, usage, costMicroUsd } = await callEmbeddings(this.#dependencies, call);
    const { provider, model } = target;
    const booking = { generationId, user, provider, model, failure: error?.code ?? null };
    const response = answer === null ? responseOf(spec.endpoint, error) : { statusCode: 200, body: answer };
    return { response, usage, costMicroUsd, booking };
  }

  async book({ owner: { tenant, team, keyId } }: BatchSpec, answer: KeptAnswer): Promise<void> {
    const { booking, usage, costMicroUsd } = answer;
    if (booking === undefined) return;
    const { failure, ...owned } = booking;
    await bookEmbeddings(this.#dependencies, { tenant, team, keyId, ...owned, usage, costMicroUsd, failure });
  }

  async answer(spec: BatchSpec, line: BatchLine): Promise<LineAnswer> {
    if (spec.endpoint === '/v1/embeddings') return 'missing';
    const { log } = this.#dependencies;
    const answers: Answer[] = [];
    for (const [index, generationId] of generationIds(spec, line).entries()) {
      const events = await log.readMerged(generationId);
      if (events.length === 0) {
        const head = await log.head(generationId);
        if (head === null && index === 0) return 'missing';
        return this.#failed(spec, new UnbrokenError('not_found', 'The answer to this line was deleted.'));
      }
      const answer = foldAnswer(events);
      if (answer.end === null) return 'running';
      answers.push(answer);
    }
    return this.#ended(spec, line, answers);
  }

  async endStranded(spec: BatchSpec, line: BatchLine): Promise<void> {
    for (const generationId of generationIds(spec, line)) await endStranded(this.#dependencies, generationId);
  }

  refusal(spec: BatchSpec, error: unknown): LineResponse | null {
    const publicError = toPublicError(error);
    const { code } = publicError;
    if (code === 'service_unavailable' || (code === 'internal' && !(error instanceof UnbrokenError)))
      return null;
    return responseOf(spec.endpoint, publicError);
  }

  write(spec: BatchSpec, { customId }: BatchLine, result: LineResult): ResultLine {
    if (spec.format === 'anthropic') {
      return { file: 'output', json: lineOf({ custom_id: customId, result: messageResult(result) }) };
    }
    const hash = hashOf(spec, customId);
    const common = { id: `batch_req_${hash}`, custom_id: customId };
    if (!('response' in result)) {
      return {
        file: 'error',
        json: lineOf({ ...common, response: null, error: UNSENT[result.kind] }),
      };
    }
    const { statusCode, body } = result.response;
    const response = { status_code: statusCode, request_id: `req_${hash}`, body };
    const file = result.kind === 'completed' ? 'output' : 'error';
    return { file, json: lineOf({ ...common, response, error: null }) };
  }

  async #map(spec: BatchSpec, { body }: BatchLine): Promise<WireRequest> {
    const { config } = this.#dependencies;
    refuseStream(body);
    if (spec.endpoint === '/v1/messages') {
      const betas = betasIn(spec.headers['anthropic-beta']).filter((name) => !name.startsWith(OF_BATCHES));
      const params = parseWith(messagesSchema, body, 'params');
      if (params.max_tokens === 0) {
        const message = 'params.max_tokens: Input should be greater than or equal to 1 in a batch';
        throw new UnbrokenError('invalid_request', message, { details: { param: 'params.max_tokens' } });
      }
      return mapMessagesRequest(config, params, betas);
    }
    if (spec.endpoint === '/v1/responses') return mapResponseLine(this.#dependencies, spec.owner, body);
    return mapChatRequest(config, parseWith(chatCompletionSchema, body));
  }

  async #ended(spec: BatchSpec, line: BatchLine, answers: readonly Answer[]): Promise<EndedLine> {
    const ends = answers.flatMap(({ end }) => end ?? []);
    const spent = {
      usage: ends.reduce((sum, end) => addUsage(sum, end.usage), NO_USAGE),
      costMicroUsd: ends.reduce((sum, end) => sum + end.costMicroUsd, 0),
    };
    const isLate = (at: number) => at >= spec.deadlineAtMs - SAME_MOMENT_MS;
    for (const [index, end] of ends.entries()) {
      if (end.type === 'generation-cancel')
        return { result: { kind: isLate(end.at) ? 'expired' : 'cancelled' }, ...spent };
      if (end.type !== 'generation-error') continue;
      if (end.error.code === 'generation_timeout' && isLate(end.at))
        return { result: { kind: 'expired' }, ...spent };
      const failure = toGenerationFailure(end, answers[index]?.generationId ?? '');
      return { ...this.#failed(spec, failure), ...spent };
    }
    const body = await this.#whole(spec, line, answers);
    return { result: { kind: 'completed', response: { statusCode: 200, body } }, ...spent };
  }

  async #whole(spec: BatchSpec, line: BatchLine, answers: readonly Answer[]): Promise<object> {
    const named = namesModel.parse(line.body);
    const { model } = named;
    const [first] = answers;
    if (first === undefined) throw new RangeError('A line has at least one generation.');
    if (spec.endpoint === '/v1/messages') return wholeMessage(model, first);
    if (spec.endpoint === '/v1/responses') return answerOfResponse(this.#dependencies, first.generationId);
    return wholeChat({ model, usesFunctions: usesFunctions(named) }, answers);
  }

  #failed({ endpoint }: BatchSpec, error: UnbrokenError): EndedLine {
    const response = responseOf(endpoint, error);
    return { result: { kind: 'failed', response }, usage: NO_USAGE, costMicroUsd: 0 };
  }
}

/**
 * A line of a file of results. `str.splitlines` of Python, and `readline` of Node since version 24, also cut a text at
 * these three characters, which JSON leaves as they are.
 */
function lineOf(value: object): string {
  return JSON.stringify(value).replace(
    /[\u0085\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const UNSENT = {
  cancelled: {
    code: 'batch_cancelled',
    message: 'This request was not completed before its batch was cancelled.',
  },
  expired: {
    code: 'batch_expired',
    message: 'This request could not be executed before the completion window expired.',
  },
} as const;

function messageResult(result: LineResult): object {
  switch (result.kind) {
    case 'completed':
      return { type: 'succeeded', message: result.response.body };
    case 'failed':
      return { type: 'errored', error: result.response.body };
    case 'cancelled':
      return { type: 'canceled' };
    case 'expired':
      return { type: 'expired' };
  }
}

function responseOf(endpoint: BatchEndpoint, error: UnbrokenError): LineResponse {
  if (endpoint === '/v1/messages') return { statusCode: error.entry.status, body: toAnthropicError(error) };
  const format = endpoint === '/v1/chat/completions' ? 'openai-chat' : 'openai-responses';
  return { statusCode: openAiStatus(error), body: { error: toOpenAiError(error, format) } };
}

/** A line may wait for room, and run, until the time of its batch is over. */
function inNoHurry(
  order: GenerationOrder,
  { deadlineAtMs, batchId, mode = 'live' }: BatchSpec,
): GenerationOrder {
  const { routing } = order;
  const maxWaitMs = Math.max(0, deadlineAtMs - Date.now());
  return {
    ...order,
    deadlineAtMs,
    ...(routing === undefined ? {} : { routing: { ...routing, maxWaitMs } }),
    ...(mode === 'live' ? {} : { batchId }),
  };
}

/** The limits of a request that is sent alone. @throws invalid_request */
function assertLimits({ config }: Pick<LineDependencies, 'config'>, { body }: BatchLine): void {
  const { jsonValues: values } = config.http;
  const limits = { depth: LIMITS.jsonDepth, values };
  const fault = jsonFault(Buffer.from(JSON.stringify(body) ?? ''), limits);
  if (fault === null) return;
  const why =
    fault === 'values'
      ? `has more than ${values} values; the setting is http.jsonValues`
      : fault === 'depth'
        ? `is nested deeper than ${LIMITS.jsonDepth} levels`
        : 'has half of a Unicode character';
  throw new UnbrokenError('invalid_request', `The body of this line ${why}.`);
}

function refuseStream(body: unknown): void {
  const isStream = typeof body === 'object' && body !== null && 'stream' in body && body.stream === true;
  if (!isStream) return;
  throw new UnbrokenError('invalid_request', 'stream: the lines of a batch are not streamed; leave it out.', {
    details: { param: 'stream' },
  });
}

function headersOf({ headers }: BatchSpec) {
  return { get: (name: string) => headers[name] };
}

/** Of the choices of a line: the first stands for the line. */
function generationIds(spec: BatchSpec, { customId, body }: BatchLine): readonly [string, ...string[]] {
  const first = `gen_${hashOf(spec, customId)}`;
  const isChat = spec.endpoint === '/v1/chat/completions';
  const n = isChat ? namesModel.safeParse(body).data?.n : null;
  const count = typeof n === 'number' && Number.isSafeInteger(n) && n > 1 ? Math.min(n, LIMITS.choices) : 1;
  const others = Array.from({ length: count - 1 }, (_, index) => idOfChoice(first, index + 1));
  return [first, ...others];
}

function hashOf({ tenant, batchId }: BatchSpec, customId: string): string {
  return createHash('sha256').update(`${tenant}\0${batchId}\0${customId}`).digest('hex').slice(0, 32);
}
