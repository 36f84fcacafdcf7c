/**
 * The port to the verifier, which decides whether two conversations ask the same. A conversation that it cannot read,
 * or has no time for, is not the same as any other.
 */

export const agreements = ['same', 'unsure', 'different'] as const;
/** `unsure`: the verifier found no difference, and no proof that there is none. A judge may decide. */
export type Agreement = (typeof agreements)[number];

/** Tenants are served round-robin: a tenant with many questions delays only itself. */
export interface QuestionVerifier {
  /** Conversations that ask the same have the same signature, so that a store can filter by it. */
  signatureOf(questions: readonly string[], tenant?: string): Promise<string>;
  /** One agreement for each of the others, in their order. */
  compare(
    questions: readonly string[],
    others: readonly (readonly string[])[],
    tenant?: string,
  ): Promise<readonly Agreement[]>;
  /** Loads the dictionary that the first question would wait for. */
  warmUp(): Promise<void>;
  close(): Promise<void>;
}
