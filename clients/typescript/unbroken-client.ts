/**
 * The client of the API. It retries every request through a restart of the API; a retried submit never starts two
 * generations.
 */
import type { GenerationEvent } from '../../contracts/events.ts';
import type { ContinueRequest, GenerationRequest, GenerationView } from '../../contracts/generation.ts';
import type { GenerationFilter } from '../../contracts/generation-search.ts';
import type { Feedback, FeedbackView } from '../../contracts/prompts.ts';
import type { ProvidersView, RouteExplanation } from '../../contracts/routing.ts';
import type { UsageGroup, UsageView } from '../../contracts/usage.ts';
import { Backoff, LONGEST_TIMER_MS, type Retry, wait } from './backoff.ts';
import { baseOf, headerValue } from './check-options.ts';
import { type ComplaintsClient, createComplaintsClient } from './complaints.ts';
import { createErasuresClient, type ErasuresClient } from './erasures.ts';
import { ClientError, ConnectionLostError, errorFromResponse } from './errors.ts';
import { type FollowOptions, followGeneration, headersOf } from './follow-generation.ts';
import { createJobsClient, createPipelinesClient, type JobsClient, type PipelinesClient } from './jobs.ts';
import { createPromptsClient, type PromptsClient } from './prompts.ts';
import { createSchedulesClient, type SchedulesClient } from './schedules.ts';

type ConnectionOptions = Omit<FollowOptions, 'generationId' | 'after' | 'signal'>;

export interface ClientOptions extends ConnectionOptions {
  /** How long a request (not a stream) is retried without an answer. Default: 30 s. */
  readonly requestGiveUpAfterMs?: number | undefined;
  /** The time limit of one attempt of a request. Default: 30 s. */
  readonly requestTimeoutMs?: number | undefined;
  /** Called before every retry of a request. */
  readonly onRetry?: ((retry: Retry) => void) | undefined;
}

export interface SubmitOptions {
  /** Your key: a submit with the same key joins the generation that it started. Default: a random one per call. */
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The settings here replace those of the client. */
export type FollowRequest = Pick<FollowOptions, 'after' | 'signal' | 'giveUpAfterMs' | 'onReconnect'>;

/** The response to a submit: the view, and the path of its events. */
export type SubmittedGeneration = Pick<GenerationView, 'id' | 'status'> &
  Partial<GenerationView> & { readonly events: string };

/** A running generation: iterate it for its events. */
export interface FollowedGeneration extends AsyncIterable<GenerationEvent> {
  readonly id: string;
}

/** A page has at most `limit` generations: 1 to 100, 20 if absent. */
export interface ListOptions extends Readonly<GenerationFilter> {
  readonly limit?: number | undefined;
}
export type ListedGeneration = Omit<GenerationView, 'text'>;

/** Days are in UTC, such as 2026-11-24. Without `from`, the last 30 days. */
export interface UsageQuery {
  readonly user?: string | undefined;
  readonly team?: string | undefined;
  /** The id of an API key. */
  readonly key?: string | undefined;
  /** provider/model */
  readonly model?: string | undefined;
  /** name or name@version */
  readonly prompt?: string | undefined;
  readonly from?: string | undefined;
  readonly until?: string | undefined;
  readonly each?: 'day' | 'hour' | undefined;
  /** What a group of the answer stands for; without it there are none. */
  readonly by?: UsageGroup | undefined;
  readonly limit?: number | undefined;
  readonly after?: string | undefined;
}

/** All methods throw ClientError, ConnectionLostError, TypeError on what cannot be sent, or the signal's reason. */
export interface UnbrokenClient {
  submit(request: Omit<GenerationRequest, 'stream'>, options?: SubmitOptions): Promise<SubmittedGeneration>;
  get(generationId: string): Promise<GenerationView>;
  /** The newest generations, without their text. */
  list(options?: ListOptions): Promise<ListedGeneration[]>;
  /** The same with `next`: pass it as `after` for the next page; null at the end. */
  listPage(
    options?: ListOptions,
  ): Promise<{ readonly data: ListedGeneration[]; readonly next: string | null }>;
  /** What was used, in time and by group. */
  usage(query?: UsageQuery): Promise<UsageView>;
  cancel(generationId: string): Promise<void>;
  follow(generationId: string, options?: FollowRequest): AsyncIterable<GenerationEvent>;
  /** The models that the request would go to, in order, with reasons and costs. Nothing is generated. */
  explain(request: Omit<GenerationRequest, 'stream'>): Promise<RouteExplanation>;
  /** Circuits and speed of recently called models; with the scope `admin`, the state of keys too. */
  providers(): Promise<ProvidersView['providers']>;
  /** Submits, then follows. Leaving the loop does not cancel the generation. */
  generate(request: Omit<GenerationRequest, 'stream'>, options?: SubmitOptions): Promise<FollowedGeneration>;
  /**
   * Continues an answer that reached its length limit; the events start with its text. Without `idempotencyKey`, a
   * generation has one continuation.
   */
  continue(
    generationId: string,
    request?: Omit<ContinueRequest, 'stream'>,
    options?: SubmitOptions,
  ): Promise<FollowedGeneration>;
  /** A generation has one feedback: a second one replaces the first. */
  giveFeedback(generationId: string, feedback: Feedback): Promise<FeedbackView>;
  readonly prompts: PromptsClient;
  readonly pipelines: PipelinesClient;
  readonly jobs: JobsClient;
  readonly schedules: SchedulesClient;
  readonly complaints: ComplaintsClient;
  readonly erasures: ErasuresClient;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

export function createClient(options: ClientOptions): UnbrokenClient {
  const call = <Answer>(request: Call) => requestJson<Answer>(options, request);
  const pathOf = (generationId: string) => `/v1/generations/${encodeURIComponent(generationId)}`;
  const followed = (id: string, signal: AbortSignal | undefined): FollowedGeneration => ({
    id,
    [Symbol.asyncIterator]: () => followGeneration({ ...options, signal, generationId: id }),
  });
  const client: UnbrokenClient = {
    submit: (request, { idempotencyKey = randomKey(), signal } = {}) =>
      call<SubmittedGeneration>({
        method: 'POST',
        path: '/v1/generations',
        body: request,
        headers: { 'idempotency-key': idempotencyKey },
        signal,
      }),
    get: (generationId) => call<GenerationView>({ method: 'GET', path: pathOf(generationId) }),
    list: async (options = {}) => (await client.listPage(options)).data,
    listPage: (options = {}) => call({ method: 'GET', path: `/v1/generations${queryOf(options)}` }),
    usage: (query = {}) => call({ method: 'GET', path: `/v1/usage${queryOf(query)}` }),
    cancel: async (generationId) => {
      await call<unknown>({ method: 'POST', path: `${pathOf(generationId)}/cancel` });
    },
    explain: (request) =>
      call<RouteExplanation>({ method: 'POST', path: '/v1/routes/explain', body: request }),
    providers: async () => (await call<ProvidersView>({ method: 'GET', path: '/v1/providers' })).providers,
    follow: (generationId, request = {}) => followGeneration({ ...options, ...request, generationId }),
    generate: async (request, submitted = {}) => {
      const { id } = await client.submit(request, submitted);
      return followed(id, submitted.signal);
    },
    continue: async (generationId, request = {}, { idempotencyKey, signal } = {}) => {
      const { id } = await call<SubmittedGeneration>({
        method: 'POST',
        path: `${pathOf(generationId)}/continue`,
        body: request,
        ...(idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': idempotencyKey } }),
        signal,
      });
      return followed(id, signal);
    },
    giveFeedback: (generationId, body) =>
      call<FeedbackView>({ method: 'POST', path: `${pathOf(generationId)}/feedback`, body }),
    prompts: createPromptsClient(call),
    pipelines: createPipelinesClient(call),
    jobs: createJobsClient(call, { ...options, randomKey }),
    schedules: createSchedulesClient(call, randomKey),
    complaints: createComplaintsClient(call),
    erasures: createErasuresClient(call),
  };
  return client;
}

/** Sends a call and retries it on errors that may pass. Only for calls that may be repeated, as a submit by its key. */
export async function requestJson<Answer>(options: ClientOptions, call: Call): Promise<Answer> {
  const backoff = new Backoff(options.reconnectDelayMs ?? 50, options.requestGiveUpAfterMs ?? 30_000);
  const url = `${baseOf(options)}${call.path}`;
  // What cannot be sent is thrown here, before the first attempt.
  const request = requestOf(options, call);
  for (;;) {
    call.signal?.throwIfAborted();
    let cause: unknown;
    try {
      return await attempt<Answer>(options, call, { url, request });
    } catch (error) {
      call.signal?.throwIfAborted();
      // A spent budget does not recover within seconds, so the caller must know at once.
      if (error instanceof ClientError && (!error.passing || error.code === 'budget_exceeded')) throw error;
      cause = error;
    }
    const delayMs = backoff.nextDelayMs(cause);
    if (delayMs === undefined) {
      throw cause instanceof ClientError ? cause : new ConnectionLostError(url, backoff.waitedMs, cause);
    }
    options.onRetry?.({ cause, delayMs });
    await wait(delayMs, call.signal);
  }
}

function requestOf({ apiKey }: ClientOptions, { method, headers = {}, body }: Call): RequestInit {
  const own = Object.entries(headers).map(([name, value]) => [name, headerValue(name, value)] as const);
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  return {
    method,
    headers: { ...headersOf(apiKey), ...Object.fromEntries(own), ...type },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
}

async function attempt<Answer>(
  options: ClientOptions,
  { signal }: Call,
  { url, request }: { readonly url: string; readonly request: RequestInit },
): Promise<Answer> {
  const timeout = AbortSignal.timeout(Math.min(options.requestTimeoutMs ?? 30_000, LONGEST_TIMER_MS));
  const send = options.fetch ?? globalThis.fetch;
  const response = await send(url, {
    ...request,
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  });
  if (!response.ok) throw await errorFromResponse(response);
  // The type is safe: the API's tests check its answers against contracts/.
  return (response.status === 204 ? undefined : await response.json()) as Answer;
}

/** `?name=value&...`, without what is undefined; empty without any. */
function queryOf(values: object): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? '' : `?${query}`;
}

/** Works everywhere, while `crypto.randomUUID` is missing on plain-http pages. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
