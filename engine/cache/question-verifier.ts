/**
 * The port to the verifier, which decides whether two conversations ask the same. A conversation that it cannot read,
 * or has no time for, is not the same as any other.
 */

/** `unsure`: the verifier found no difference, and no proof that there is none. A judge may decide. */
export type Agreement = 'same' | 'unsure' | 'different';

export interface Comparison {
  readonly agreement: Agreement;
  /** The model's estimate that both ask the same, from 0 to 1. Absent: the rules decided, or nothing did. */
  readonly probability?: number | undefined;
}

interface ComparisonLimits {
  /** Tenants are served round-robin: a tenant with many questions delays only itself. */
  readonly tenant?: string;
  /** The share of false hits among close questions that the route accepts, from 0 to 1. */
  readonly acceptedFalseHits: number;
  /** Whether all that are the same matter. By default only the first does, and later ones may stay `unsure`. */
  readonly all?: boolean;
}

export interface QuestionVerifier {
  /** Conversations that ask the same have the same signature, so that a store can filter by it. */
  signatureOf(questions: readonly string[], tenant?: string): Promise<string>;
  /**
   * @param others the most similar one first: a model reads only a few.
   * @returns one comparison for each of the others, in their order.
   */
  compare(
    questions: readonly string[],
    others: readonly (readonly string[])[],
    limits: ComparisonLimits,
  ): Promise<readonly Comparison[]>;
  /** Loads what the first question would wait for: the dictionary and the model. */
  warmUp(): Promise<void>;
  close(): Promise<void>;
}
