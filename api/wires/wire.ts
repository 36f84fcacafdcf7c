/**
 * What all wire formats share. A format is a projection: a pure fold over the log, from its first event on, that gives
 * the frames of that format. So a reconnect, at any process, folds the same events to the same frames.
 */
import type { GenerationEvent } from '../../contracts/events.ts';
import { type GenerationRequest, generationRequestSchema } from '../../contracts/generation.ts';
import type { LogHead } from '../../engine/streaming/event-log.ts';
import type { Caller } from '../access/api-keys.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { findGeneration } from '../generations/find-generation.ts';
import { submitGeneration } from '../generations/submit-generation.ts';
import { parseWith } from '../http/read-request.ts';
import { mayName } from './end-user.ts';

export interface Projection<Frame> {
  /** The frames of the next event. Must be called with every event of the log, in order. */
  push(event: GenerationEvent): readonly Frame[];
}

export type WireFormat = 'openai-responses' | 'openai-chat' | 'anthropic-messages' | 'ai-sdk-ui';

/** The headers of a request, by name. */
export interface WireHeaders {
  get(name: string): string | undefined;
}

/** What is kept beside the log for the formats; each adds what its answers must echo. */
export interface Origin {
  readonly format: WireFormat;
  /** The model as the caller named it. */
  readonly model: string;
}

/** A request in our words, and what its format must remember of it. */
export interface WireRequest<Kept extends Origin = Origin> {
  readonly request: GenerationRequest;
  readonly origin: Kept;
}

/** What these formats have no field for, as headers. Each is checked with the request. */
function headerSettings(headers: WireHeaders): Record<string, string | number> {
  const settings: Record<string, string | number> = {};
  for (const name of ['cache', 'task'] as const) {
    const value = headers.get(`x-unbroken-${name}`);
    if (value !== undefined) settings[name] = value;
  }
  const numbers = { priority: 'x-unbroken-priority', deadlineMs: 'x-unbroken-deadline-ms' };
  for (const [name, header] of Object.entries(numbers)) {
    const value = headers.get(header);
    if (value !== undefined) settings[name] = Number(value);
  }
  return settings;
}

/**
 * Begins the generation, or takes one up again: by the id in `x-unbroken-generation-id`, or by `Idempotency-Key`, under
 * which the same request joins what is there.
 */
export async function beginOrTakeUp(
  dependencies: ApiDependencies,
  caller: Caller,
  { request, origin }: WireRequest,
  headers: WireHeaders,
): Promise<LogHead> {
  const known = headers.get('x-unbroken-generation-id');
  if (known !== undefined) return findGeneration(dependencies, caller, known);
  const user = mayName(caller) ? request.user : undefined;
  const asked = { ...request, user, ...headerSettings(headers) };
  const valid = parseWith(generationRequestSchema, asked);
  const key = headers.get('idempotency-key');
  const { generationId, started } = await submitGeneration(dependencies, caller, valid, key, origin);
  await started;
  return findGeneration(dependencies, caller, generationId, (id) => id === generationId);
}

/** Ids of all formats carry the hexadecimal part of ours, so none needs a table. */
export function idIn(prefix: string, generationId: string): string {
  return `${prefix}${generationId.replace(/^gen_/, '')}`;
}

export { metadataSchema } from '../../contracts/generation.ts';
