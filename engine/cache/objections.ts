/** Applies complaints to the stored questions that the verifier has accepted for a new one. */
import type { CacheQuestion } from './answer-cache.ts';
import { cacheKey, pointId, userTexts } from './cache-key.ts';
import { type Complaint, type ComplaintsByEntry, raisedSimilarity } from './complaints.ts';
import type { QuestionVerifier } from './question-verifier.ts';
import { haveSameWords } from './same-words.ts';

interface Accepted {
  /** Of the entry. */
  readonly id: string;
  readonly questions: readonly string[];
}

interface Bounds {
  /** The share of false hits that the route accepts. */
  readonly acceptedFalseHits: number;
  readonly complaints: ComplaintsByEntry;
}

interface Bar {
  /** The similarity that the entry requires, from the least that is compared at all. */
  readonly requiredFrom: (leastSimilarity: number) => number;
}

/**
 * Leaves out each entry that is quarantined for this question or for one that asks the same, and each that asks the
 * same as such an entry: it would be the same wrong answer under another id. Of an entry with complaints by others, the
 * verifier must be surer: each complaint halves the share of false hits that is accepted.
 * @returns the rest. In doubt, as when the verifier is late, an entry with complaints is left out.
 */
export async function withoutQuarantined<Entry extends Accepted>(
  verifier: QuestionVerifier,
  question: CacheQuestion,
  accepted: readonly Entry[],
  { acceptedFalseHits, complaints }: Bounds,
): Promise<readonly (Entry & Bar)[]> {
  const bound = accepted.map((entry) => {
    const about = complaints.get(entry.id) ?? [];
    return { ...entry, about, requiredFrom: (least: number) => raisedSimilarity(least, about.length) };
  });
  if (bound.every(({ about }) => about.length === 0)) return bound;
  const reader = { verifier, tenant: question.tenant };
  const questions = userTexts(question);
  const isQuarantined = await Promise.all(bound.map(({ about }) => hasObjection(reader, question, about)));
  const quarantined = bound.filter((_, at) => isQuarantined[at]);
  const rest = bound.filter((_, at) => !isQuarantined[at]);
  const isLeft = await Promise.all(
    rest.map(async (entry) => {
      const refused = quarantined.map((other) => other.questions);
      const isAlike = await mayAskTheSame({ ...reader, acceptedFalseHits }, entry.questions, refused);
      if (isAlike) return false;
      const surer = { ...reader, acceptedFalseHits: acceptedFalseHits / 2 ** entry.about.length };
      return entry.about.length === 0 || (await askTheSame(surer, questions, entry.questions));
    }),
  );
  return rest.filter((_, at) => isLeft[at]);
}

interface Reader {
  readonly verifier: QuestionVerifier;
  readonly tenant: string;
}

async function hasObjection(
  reader: Reader,
  question: CacheQuestion,
  about: readonly Complaint[],
): Promise<boolean> {
  const own = pointId(cacheKey(question));
  const questions = userTexts(question);
  const complained = about.flatMap((complaint) =>
    complaint.questions === null ? [] : [complaint.questions],
  );
  if (about.some(({ questionId }) => questionId === own)) return true;
  if (complained.some((others) => haveSameWords(questions, others))) return true;
  return mayAskTheSame({ ...reader, acceptedFalseHits: WIDE }, questions, complained);
}

/** To be taken for a quarantined question, less certainty is enough than for a hit. */
const WIDE = 0.05;

interface Comparing extends Reader {
  readonly acceptedFalseHits: number;
}

/** Whether the verifier takes any of the others for the same, or does not answer. */
async function mayAskTheSame(
  { verifier, ...limits }: Comparing,
  questions: readonly string[],
  others: readonly (readonly string[])[],
): Promise<boolean> {
  if (others.length === 0) return false;
  try {
    const compared = await verifier.compare(questions, others, { ...limits, all: true });
    return others.some((_, at) => compared[at]?.agreement !== 'different');
  } catch {
    return true;
  }
}

async function askTheSame(
  { verifier, ...limits }: Comparing,
  questions: readonly string[],
  other: readonly string[],
): Promise<boolean> {
  try {
    const [compared] = await verifier.compare(questions, [other], limits);
    return compared?.agreement === 'same';
  } catch {
    return false;
  }
}
