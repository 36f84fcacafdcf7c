/** The identity of a question: two questions with one key have the same answer. Tenants never share a key. */
import { createHash } from 'node:crypto';
import type { CacheQuestion } from './answer-cache.ts';

/**
 * SHA-256 in hex of all that fixes the answer. Models: the route's whole list of candidates, so that an answer by any
 * of them is a hit, and a route that is changed asks anew.
 */
export function cacheKey({ tenant, candidates, input }: CacheQuestion): string {
  const canonical = JSON.stringify([
    tenant,
    candidates.map(({ provider, model }) => [provider, model]),
    input.system ?? null,
    input.messages.map(({ role, content }) => [role, content]),
    input.maxOutputTokens,
    input.temperature ?? null,
    input.compression ?? null,
  ]);
  return createHash('sha256').update(canonical).digest('hex');
}

/** SHA-256 in hex of what was asked, whoever of a route answers it and however long: for the best answer there is. */
export function questionKey({ tenant, input }: Pick<CacheQuestion, 'tenant' | 'input'>): string {
  const asked = input.messages.map(({ role, content }) => [role, content]);
  const shape = [input.tools ?? null, input.toolChoice ?? null, input.output ?? null];
  const canonical = JSON.stringify([tenant, input.system ?? null, asked, shape]);
  return createHash('sha256').update(canonical).digest('hex');
}

/** Qdrant's point ids are UUIDs; the first 128 bits of the key name the point, the payload holds all of it. */
export function pointId(key: string): string {
  const parts = [key.slice(0, 8), key.slice(8, 12), `8${key.slice(13, 16)}`, `8${key.slice(17, 20)}`];
  return [...parts, key.slice(20, 32)].join('-');
}
