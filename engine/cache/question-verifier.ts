/**
 * The port to what decides whether two conversations ask the same. Whatever stands behind it, a conversation that it
 * cannot read, or has no time for, is not the same as any other.
 */

export const agreements = ['same', 'unsure', 'different'] as const;
/** `unsure`: no difference was found, and no proof that there is none. A judge may decide. */
export type Agreement = (typeof agreements)[number];

/** Tenants are served in turns: one that asks for much waits behind itself. */
export interface QuestionVerifier {
  /** Conversations that ask the same have the same signature, so that a store can filter by it. */
  signatureOf(questions: readonly string[], tenant?: string): Promise<string>;
  /** How the questions agree with each of the others, in their order. */
  compare(
    questions: readonly string[],
    others: readonly (readonly string[])[],
    tenant?: string,
  ): Promise<readonly Agreement[]>;
  /** Loads what the first question would wait for. */
  warmUp(): Promise<void>;
  close(): Promise<void>;
}
