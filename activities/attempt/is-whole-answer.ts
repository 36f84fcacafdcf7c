import type { GenerationInput } from '../../contracts/generation.ts';

/**
 * Whether a text that ended by itself is an answer to this input: where JSON was asked for, it is JSON. Models without
 * constrained decoding write prose at times, and the cache must not give that to others.
 */
export function isWholeAnswer({ output }: Pick<GenerationInput, 'output'>, text: string): boolean {
  if (output === undefined) return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
