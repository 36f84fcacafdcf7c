/** The identity of a generation: its id, and the hash that shows whether two requests with one key are the same. */
import { createHash, randomBytes } from 'node:crypto';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { Caller } from '../access/api-keys.ts';

export interface ChosenId {
  readonly generationId: string;
  /** False if an earlier request may have created its log. */
  readonly isUnique: boolean;
}

/**
 * The same key always gives the same id; without a key the id is random. The id is a hash, so that what callers write
 * into their keys reaches neither ids nor logs.
 * @param kind of what is not a generation, and may have the same key
 * @throws invalid_request
 */
export function generationIdFor(
  { tenant, user, scopes }: Caller,
  idempotencyKey: string | undefined,
  kind = '',
): string {
  if (idempotencyKey === undefined) return `gen_${randomBytes(16).toString('hex')}`;
  if (idempotencyKey.length === 0 || idempotencyKey.length > LIMITS.idempotencyKeyChars) {
    throw new UnbrokenError(
      'invalid_request',
      `Idempotency-Key: expected 1 to ${LIMITS.idempotencyKeyChars} characters.`,
    );
  }
  // Two users may choose the same key, so the user is part of the hash unless the caller may act for any user.
  const owner = scopes.includes('any-user') ? tenant : `${tenant}\0${user}`;
  return `gen_${sha256(`${owner}\0${kind}${idempotencyKey}`).slice(0, 32)}`;
}

/** The generation that compacts the conversation of another one, however often that one is submitted. */
export function compactionIdOf(generationId: string): string {
  return `gen_${sha256(`compaction of ${generationId}`).slice(0, 32)}`;
}

export function hashRequest(request: unknown): string {
  return sha256(JSON.stringify(request));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
