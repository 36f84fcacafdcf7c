/** The input as it is sent: with its context compressed, if that was requested. */
import type { CompressedTokens, GenerationInput, GenerationOrder } from '../../contracts/generation.ts';
import type { Dependencies } from '../dependencies.ts';

export interface PreparedInput {
  readonly sent: GenerationInput;
  readonly compressed: CompressedTokens | undefined;
}

/** Compresses the context, once, and notes in the log what was removed. */
export async function prepareInput(
  { log, compression }: Pick<Dependencies, 'log' | 'compression'>,
  { generationId, tenant }: Pick<GenerationOrder, 'generationId' | 'tenant'>,
  input: GenerationInput,
): Promise<PreparedInput> {
  const compressed = await compression.compressOnce({ generationId, tenant }, input);
  if (compressed === null) return { sent: input, compressed: undefined };
  const { engine, tokensBefore, tokensAfter, reason, messages } = compressed;
  // Before the stream begins: a repeat of this step finds the note, and does not append in the middle of the stream.
  await log.appendOnce(generationId, 'prompt-compress', [
    { type: 'prompt-compress', engine, tokensBefore, tokensAfter, reason },
  ]);
  return { sent: { ...input, messages }, compressed: { tokensBefore, tokensAfter } };
}

export type SentInputs = Pick<Dependencies, 'log'> & {
  readonly compression: Pick<Dependencies['compression'], 'read'>;
};

/**
 * @returns null if it is lost. The whole context in place of the compressed one would cost more than was reserved, and
 * an attempt that continues another must send the same input.
 */
export async function readSentInput(
  { log, compression }: SentInputs,
  generationId: string,
): Promise<GenerationInput | null> {
  const input = await log.readInput(generationId);
  if (input?.compression === undefined) return input;
  const compressed = await compression.read(generationId);
  return compressed === null ? null : { ...input, messages: compressed.messages };
}
