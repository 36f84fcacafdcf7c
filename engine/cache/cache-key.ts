/**
 * The identity of a question. Its partition is everything that must be equal for an answer to be reused. The rest, the
 * user's words, must be the same (one key) or ask the same (the verifier). Tenants never share; users of a tenant share
 * if the config says so.
 */
import { createHash } from 'node:crypto';
import { type Message, type Part, partsOf } from '../../contracts/content.ts';
import type { GenerationInput } from '../../contracts/generation.ts';
import { withoutHints } from '../models/native-fields.ts';
import type { CacheQuestion } from './answer-cache.ts';
import { canonicalText } from './same-words.ts';

/**
 * SHA-256 in hex of the owner, the models that may answer (in any order), the system prompt, the tools, the form of the
 * answer, the sampling, and of everything in the conversation but the user's words: the assistant's turns, images, and
 * tool results. Answers that are not checked against their schema are apart. The output cap is not part of it: an
 * answer that ended by itself fits any higher cap.
 */
export function partitionOf(question: CacheQuestion): string {
  const { candidates } = question;
  const input = withoutHints(question.input);
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
    ...laterSettings(input),
    ...(input.output !== undefined && input.outputCheck === undefined ? ['unchecked'] : []),
  ]);
}

/** Settings that requests have not always had: without them the key is what it was, so stored answers stay usable. */
function laterSettings(input: GenerationInput): readonly unknown[] {
  const { topK, seed, frequencyPenalty, presencePenalty, verbosity, parallelToolCalls, native } = input;
  const settings = [topK, seed, frequencyPenalty, presencePenalty, verbosity, parallelToolCalls, native];
  return settings.every((setting) => setting === undefined) ? [] : [settings];
}

/** Two questions with one key are the same question. */
export function cacheKey(question: CacheQuestion): string {
  return keyOf(partitionOf(question), userTexts(question));
}

function keyOf(partition: string, questions: readonly string[]): string {
  return sha256([partition, questions]);
}

/** The id of the stored answer to a question. It also names the question while nothing is stored. */
export function entryIdOf(partition: string, questions: readonly string[]): string {
  return pointId(keyOf(partition, questions));
}

/** SHA-256 in hex of the question alone, for the last fallback: models and sampling may differ. */
export function questionKey(question: Pick<CacheQuestion, 'tenant' | 'onlyUser' | 'input'>): string {
  const input = withoutHints(question.input);
  const messages = input.messages.map(({ role, content, native }) => [
    role,
    content,
    ...(native === undefined ? [] : [native]),
  ]);
  const shape = [input.tools ?? null, input.toolChoice ?? null, input.output ?? null];
  return sha256([ownerOf(question), input.system ?? null, messages, shape]);
}

function ownerOf({ tenant, onlyUser }: Pick<CacheQuestion, 'tenant' | 'onlyUser'>): unknown {
  return onlyUser === null ? tenant : [tenant, onlyUser];
}

/** The user's text of each turn, oldest first, in its canonical form. */
export function userTexts({ input }: Pick<CacheQuestion, 'input'>): string[] {
  return input.messages
    .filter(({ role }) => role === 'user')
    .map((message) =>
      canonicalText(
        partsOf(message)
          .flatMap((part) => (part.type === 'text' ? [part.text] : []))
          .join('\n'),
      ),
    );
}

function withoutWords(message: Message): unknown {
  const native = message.native === undefined ? [] : [message.native];
  if (message.role !== 'user') return [message.role, message.content, ...native];
  return [message.role, partsOf(message).map(withoutText), ...native];
}

function withoutText(part: Part): unknown {
  if (part.type !== 'text') return part;
  return part.native === undefined ? 'text' : ['text', part.native];
}

/** Qdrant's point ids are UUIDs: the first 128 bits of the key. The payload holds the whole key. */
export function pointId(key: string): string {
  const parts = [key.slice(0, 8), key.slice(8, 12), `8${key.slice(13, 16)}`, `8${key.slice(17, 20)}`];
  return [...parts, key.slice(20, 32)].join('-');
}

function sha256(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
