/**
 * What all wire formats share. A format is a projection: a fold over the log, from its first event, that returns the
 * frames of that format and depends on nothing else. So a reconnect to any process yields the same frames.
 */
import type { GenerationEvent } from '../../contracts/events.ts';
import { type GenerationRequest, generationRequestSchema } from '../../contracts/generation.ts';
import type { LogHead } from '../../engine/streaming/event-log.ts';
import type { Config } from '../../platform/config/load-config.ts';
import type { Caller } from '../access/api-keys.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { countedRequest, RETRY_COUNT_HEADER } from '../generations/client-retries.ts';
import { findGeneration } from '../generations/find-generation.ts';
import { type ReservedTurn, submitGeneration, withoutHistory } from '../generations/submit-generation.ts';
import { parseWith } from '../http/read-request.ts';
import { mayNameUser } from './end-user.ts';

export interface Projection<Frame> {
  /** @returns the frames of the next event. Must be called with every event of the log, in order. */
  push(event: GenerationEvent): readonly Frame[];
}

type WireFormat = 'openai-responses' | 'openai-chat' | 'anthropic-messages' | 'ai-sdk-ui';

/** The headers of a request, by name. */
export interface WireHeaders {
  get(name: string): string | undefined;
}

/** Stored beside the log for the formats; each adds the request fields that its answers must echo. */
export interface Origin {
  readonly format: WireFormat;
  /** The model as the caller named it. */
  readonly model: string;
  /** How many choices were asked for; absent: one. */
  readonly choices?: number;
}

/** A request of another format, mapped to ours. */
export interface WireRequest<FormatOrigin extends Origin = Origin> {
  readonly request: GenerationRequest;
  readonly origin: FormatOrigin;
  /** Its turn in a stored conversation. */
  readonly turn?: ReservedTurn | undefined;
  /** As in a submission. */
  readonly compactAt?: number | null | undefined;
  /** How many choices are asked for; absent: one. */
  readonly choices?: number | undefined;
}

/** Names the generation that a request follows. */
export const GENERATION_ID_HEADER = 'x-unbroken-generation-id';

/** Our settings, as headers: these formats have no fields for them. They are validated with the request. */
function headerSettings(headers: WireHeaders): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const name of ['cache', 'task'] as const) {
    const value = headers.get(`x-unbroken-${name}`);
    if (value !== undefined) settings[name] = value;
  }
  const caching = headers.get('x-unbroken-prompt-caching');
  if (caching !== undefined) settings['promptCaching'] = caching;
  const check = headers.get('x-unbroken-output-check');
  if (check !== undefined) settings['outputCheck'] = check === 'off' ? check : { attempts: Number(check) };
  const numbers = { priority: 'x-unbroken-priority', deadlineMs: 'x-unbroken-deadline-ms' };
  for (const [name, header] of Object.entries(numbers)) {
    const value = headers.get(header);
    if (value !== undefined) settings[name] = Number(value);
  }
  return settings;
}

/**
 * Starts a generation, or finds the one to resume: by the id in `x-unbroken-generation-id`, by `Idempotency-Key` when
 * the same request was sent with it before, or by the number of the client's own retry.
 */
export async function startOrResume(
  dependencies: ApiDependencies,
  caller: Caller,
  wire: WireRequest,
  headers: WireHeaders,
): Promise<LogHead> {
  const { turn, choices, compactAt } = wire;
  const resumedId = headers.get(GENERATION_ID_HEADER);
  if (resumedId !== undefined) return findGeneration(dependencies, caller, resumedId);
  const valid = validRequest(dependencies, caller, wire, headers);
  const origin = choices === undefined ? wire.origin : { ...wire.origin, choices };
  const idempotencyKey = headers.get('idempotency-key');
  const counted =
    idempotencyKey === undefined
      ? countedRequest(caller, headers.get(RETRY_COUNT_HEADER), [
          withoutHistory(valid, turn),
          turn === undefined ? origin : { ...origin, ownFrom: undefined },
        ])
      : null;
  const id = counted === null ? {} : { id: await dependencies.clientRetries.idFor(caller, counted) };
  const choice = choices === undefined ? {} : { choice: { index: 0, count: choices } };
  const submission = { request: valid, idempotencyKey, origin, turn, compactAt, ...id, ...choice };
  const { generationId, started } = await submitGeneration(dependencies, caller, submission);
  await started;
  return findGeneration(dependencies, caller, generationId, (id) => id === generationId);
}

/** The request with the settings of its headers, as `POST /v1/generations` would take it. @throws invalid_request */
export function validRequest(
  { config }: Pick<ApiDependencies, 'config'>,
  caller: Caller,
  { request, origin }: WireRequest,
  headers: WireHeaders,
): GenerationRequest {
  const user = mayNameUser(caller) ? request.user : undefined;
  const cache = cacheByDefault(config, request, origin);
  return parseWith(generationRequestSchema, { ...cache, ...request, user, ...headerSettings(headers) });
}

/**
 * The clients of vendors expect that each request asks the model, so a stored answer is used only where the route says
 * so. The UI message stream is no vendor's API: it uses the cache as our own API does.
 */
function cacheByDefault(
  { cache }: Config,
  { route }: GenerationRequest,
  { format }: Origin,
): Pick<GenerationRequest, 'cache'> {
  if (format === 'ai-sdk-ui') return {};
  const name = route ?? 'default';
  const settings = Object.hasOwn(cache.routes, name) ? cache.routes[name] : undefined;
  return { cache: (settings ?? cache.default).vendorFormats };
}

/** The id of a generation in another format: its hexadecimal part behind the prefix of that format. */
export function wireId(prefix: string, generationId: string): string {
  return `${prefix}${generationId.replace(/^gen_/, '')}`;
}
