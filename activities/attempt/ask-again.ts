/** After an answer that did not fit its schema: whether the model is asked again, and with which words. Pure. */
import { isSameCandidate } from '../../contracts/candidate.ts';
import type { Candidate, GenerationInput, Message } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { GenerationRecord } from '../generation-record.ts';

type Errors = Pick<GenerationRecord, 'errors' | 'costMicroUsd'>;

/**
 * False once this model has given all the answers that the caller allows, or the generation has cost as much as the
 * caller allows. Before any answer that did not fit, it is true.
 */
export function mayAsk(
  candidate: Candidate,
  { errors, costMicroUsd }: Errors,
  check: GenerationInput['outputCheck'],
): boolean {
  const unfit = errors.filter(({ code }) => code === 'output_invalid');
  if (unfit.length === 0) return true;
  const { attempts = 1, maxCostMicroUsd = Number.POSITIVE_INFINITY } = check ?? {};
  const own = unfit.filter((error) => isSameCandidate(error, candidate)).length;
  return own < attempts && costMicroUsd < maxCostMicroUsd;
}

/** The input with the last answer that did not fit, and with why. Every later call of the generation sends it. */
export function withFeedback(
  input: GenerationInput,
  { invalid }: Pick<GenerationRecord, 'invalid'>,
): GenerationInput {
  if (invalid === null) return input;
  const { text, message } = invalid;
  const isQuoted =
    text.trim() !== '' &&
    text.length <= LIMITS.quotedAnswerChars &&
    input.messages.at(-1)?.role !== 'assistant';
  const quoted: Message[] = isQuoted ? [{ role: 'assistant', content: text }] : [];
  const content = `${message}\nAnswer again, with the whole JSON value that fits the schema, and nothing else.`;
  return { ...input, messages: [...input.messages, ...quoted, { role: 'user', content }] };
}
