/** The port to a model that turns a text into a vector of length 1, so that near meanings are near. */
export interface Embedder {
  /** Names the space: vectors of two names cannot be compared. Letters, digits and hyphens. */
  readonly name: string;
  readonly dimensions: number;
  /** A text that takes longer has no vector; ms. */
  readonly timeoutMs: number;
  /** @param tenant those who wait for a model of this process are served in turns, by tenant. */
  embed(text: string, tenant?: string): Promise<number[]>;
  /** Loads the model; until then the first text waits for it. */
  warmUp(): Promise<void>;
  close(): Promise<void>;
}

/** Characters of a conversation that are embedded: the newest ones. */
export const EMBEDDED_CHARS = 2_000;
