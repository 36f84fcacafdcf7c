/**
 * The identity of a question. Its partition is everything that must be equal for an answer to be reused. The rest, the
 * user's words, must be the same (one key) or ask the same (the verifier). Tenants never share; users of a tenant share
 * if the config says so.
 */
import { createHash } from 'node:crypto';
import { type Message, partsOf } from '../../contracts/content.ts';
import type { CacheQuestion } from './answer-cache.ts';

/**
 * SHA-256 in hex of the owner, the models that may answer (in any order), the system prompt, the tools, the form of the
 * answer, the sampling, and of everything in the conversation but the user's words: the assistant's turns, images, and
 * tool results. The output cap is not part of it: an answer that ended by itself fits any higher cap.
 */
export function partitionOf(question: CacheQuestion): string {
  const { candidates, input } = question;
  const models = candidates.map(({ provider, model }) => JSON.stringify([provider, model])).sort();
  return sha256([
    ownerOf(question),
    models,
    input.system ?? null,
    input.tools ?? null,
    input.toolChoice ?? null,
    input.output ?? null,
    input.temperature ?? null,
    input.topP ?? null,
    input.stop ?? null,
    input.reasoning ?? null,
    input.compression ?? null,
    input.messages.map(withoutWords),
  ]);
}

/** Two questions with one key are the same question. */
export function cacheKey(question: CacheQuestion): string {
  return sha256([partitionOf(question), userTexts(question)]);
}

/** SHA-256 in hex of the question alone, for the last fallback: models and sampling may differ. */
export function questionKey(question: Pick<CacheQuestion, 'tenant' | 'onlyUser' | 'input'>): string {
  const { input } = question;
  const messages = input.messages.map(({ role, content }) => [role, content]);
  const shape = [input.tools ?? null, input.toolChoice ?? null, input.output ?? null];
  return sha256([ownerOf(question), input.system ?? null, messages, shape]);
}

function ownerOf({ tenant, onlyUser }: Pick<CacheQuestion, 'tenant' | 'onlyUser'>): unknown {
  return onlyUser === null ? tenant : [tenant, onlyUser];
}

/** The user's text of each turn, oldest first. */
export function userTexts({ input }: Pick<CacheQuestion, 'input'>): string[] {
  return input.messages
    .filter(({ role }) => role === 'user')
    .map((message) =>
      partsOf(message)
        .flatMap((part) => (part.type === 'text' ? [part.text] : []))
        .join('\n'),
    );
}

function withoutWords(message: Message): unknown {
  if (message.role === 'assistant') return [message.role, message.content];
  return [message.role, partsOf(message).map((part) => (part.type === 'text' ? 'text' : part))];
}

/** Qdrant's point ids are UUIDs: the first 128 bits of the key. The payload holds the whole key. */
export function pointId(key: string): string {
  const parts = [key.slice(0, 8), key.slice(8, 12), `8${key.slice(13, 16)}`, `8${key.slice(17, 20)}`];
  return [...parts, key.slice(20, 32)].join('-');
}

function sha256(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
