/** The port to a model that turns a text into a vector of length 1, such that texts of similar meaning are close. */
export interface Embedder {
  /** Names the vector space: vectors of two names cannot be compared. Letters, digits and hyphens. */
  readonly name: string;
  readonly dimensions: number;
  /** A text that takes longer has no vector; ms. */
  readonly timeoutMs: number;
  /** Cosine: texts that ask the same are at least so similar, so the others need not be compared. */
  readonly leastSimilarity: number;
  /** @param tenant a model that runs in this process serves tenants in turns. */
  embed(text: string, tenant?: string): Promise<number[]>;
  /** Loads the model; without it the first text waits for that. */
  warmUp(): Promise<void>;
  close(): Promise<void>;
}

/** Characters of a text that are embedded; of a conversation these are the newest ones. */
export const EMBEDDED_CHARS = 2_000;
