/**
 * Several choices of one request. Each is a generation with its own log, call and bill, so each is resumed on its own
 * and no token of any is lost (docs/decisions/0027-a-choice-is-a-generation.md).
 */
import { createHash } from 'node:crypto';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationRequest } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { seedOfChoice } from '../../contracts/seed.ts';
import type { LogHead } from '../../engine/streaming/event-log.ts';
import type { Config } from '../../platform/config/load-config.ts';
import type { Caller } from '../access/api-keys.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { cancelRun } from '../generations/cancel-run.ts';
import { findGeneration } from '../generations/find-generation.ts';
import { submitGeneration } from '../generations/submit-generation.ts';
import {
  GENERATION_ID_HEADER,
  startOrResume,
  validRequest,
  type WireHeaders,
  type WireRequest,
} from './wire.ts';

/**
 * @param messages as the client wrote them; each choice has its own copy.
 * @returns undefined for one choice.
 * @throws invalid_request, which names the setting; body_too_large
 */
export function choicesOf(
  { wires }: Config,
  n: number | null | undefined,
  messages: readonly unknown[],
): number | undefined {
  if (n === null || n === undefined || n === 1) return undefined;
  if (n <= wires.maxChoices) {
    refuseLarge(n, messages);
    return n;
  }
  throw new UnbrokenError(
    'invalid_request',
    `n: ${n} choices are more than ${wires.maxChoices}; the setting is wires.maxChoices.`,
    { details: { param: 'n' } },
  );
}

/** @throws body_too_large */
function refuseLarge(n: number, messages: readonly unknown[]): void {
  const bytes = n * Buffer.byteLength(JSON.stringify(messages));
  const most = LIMITS.bytesOfChoices;
  if (bytes <= most) return;
  throw new UnbrokenError(
    'body_too_large',
    `n: ${n} choices of these messages have ${bytes} bytes together, of at most ${most}; ask for fewer at once.`,
    { details: { param: 'n' } },
  );
}

/** Starts the generations of all choices, or finds them, as `startOrResume` does for one. */
export async function startOrResumeChoices(
  dependencies: ApiDependencies,
  caller: Caller,
  wire: WireRequest,
  headers: WireHeaders,
): Promise<readonly [LogHead, ...LogHead[]]> {
  const isNew = headers.get(GENERATION_ID_HEADER) === undefined;
  // The request itself has been counted as one.
  if (isNew && wire.choices !== undefined) await dependencies.rate.admit(caller.keyId, wire.choices - 1);
  const first = await startOrResume(dependencies, caller, wire, headers);
  const count = countIn(first);
  if (count === 1) return [first];
  const started: LogHead[] = [first];
  const further = Array.from({ length: count - 1 }, async (_, place) => {
    const index = place + 1;
    const generationId = idOfChoice(first.generationId, index);
    // Others get a turn between them: each reads and writes the whole request.
    await dependencies.bodies.turn();
    if (isNew) await startChoice(dependencies, caller, { wire, headers, first, index, count });
    const head = await findGeneration(dependencies, caller, generationId, (id) => id === generationId);
    started.push(head);
    return head;
  });
  const outcomes = await Promise.allSettled(further);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed === undefined) return [first, ...(await Promise.all(further))];
  await cancelChoices(dependencies, started);
  throw failed.reason;
}

/** One request has one outcome: if a choice fails, no reader gets the others. */
export async function cancelChoices(
  dependencies: ApiDependencies,
  choices: readonly LogHead[],
): Promise<void> {
  if (choices.length === 1) return;
  const cancelled = choices.map((run) => cancelRun(dependencies, run));
  for (const outcome of await Promise.allSettled(cancelled)) {
    if (outcome.status === 'rejected') dependencies.logger.error({ err: outcome.reason }, 'cancel a choice');
  }
}

interface Choice {
  readonly wire: WireRequest;
  readonly headers: WireHeaders;
  readonly first: LogHead;
  readonly index: number;
  readonly count: number;
}

async function startChoice(
  dependencies: ApiDependencies,
  caller: Caller,
  { wire, headers, first, index, count }: Choice,
): Promise<void> {
  const request = validRequest(dependencies, caller, wire, headers);
  const { generationId: firstId } = first;
  const { started } = await submitGeneration(dependencies, caller, {
    request: ofChoice(request, index),
    idempotencyKey: undefined,
    // A repeated request, with its key or as a retry, finds what the one before has started.
    id: { generationId: idOfChoice(firstId, index), isUnique: false },
    origin: wire.origin,
    choice: { firstId, index, count },
  });
  await started;
}

/** The request of one of several choices. */
export function ofChoice(request: GenerationRequest, index: number): GenerationRequest {
  return request.seed === undefined ? request : { ...request, seed: seedOfChoice(request.seed, index) };
}

/** The same for the same first choice. */
export function idOfChoice(firstId: string, index: number): string {
  return `gen_${createHash('sha256').update(`${firstId}\0choice ${index}`).digest('hex').slice(0, 32)}`;
}

/** As the request said that started the first one. */
function countIn({ origin }: LogHead): number {
  const isCounted = typeof origin === 'object' && origin !== null && 'choices' in origin;
  return isCounted && typeof origin.choices === 'number' ? origin.choices : 1;
}
