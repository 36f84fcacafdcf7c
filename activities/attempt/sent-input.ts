/**
 * The input as it is sent: its compactions opened, its older turns summarised or left out, and its context compressed,
 * as far as each was requested.
 */
import type { CompressedTokens, GenerationInput, GenerationOrder } from '../../contracts/generation.ts';
import type { Dependencies } from '../dependencies.ts';
import { inputLost } from '../failures.ts';

export interface PreparedInput {
  readonly sent: GenerationInput;
  readonly compressed: CompressedTokens | undefined;
}

type Generation = Pick<GenerationOrder, 'generationId' | 'tenant'>;
type Contexts = Pick<Dependencies, 'log'> & { readonly context: Pick<Dependencies['context'], 'read'> };

/** Compresses the context, once, and notes in the log what was removed. */
export async function prepareInput(
  dependencies: Contexts & Pick<Dependencies, 'compression'>,
  { generationId, tenant }: Generation,
  stored: GenerationInput,
): Promise<PreparedInput> {
  const { log, compression } = dependencies;
  const input = await inContext(dependencies, { generationId, tenant }, stored);
  if (input === null) throw inputLost();
  const compressed = await compression.compressOnce({ generationId, tenant }, input);
  if (compressed === null) return { sent: input, compressed: undefined };
  const { engine, tokensBefore, tokensAfter, reason, messages } = compressed;
  // Before the stream begins: a repeat of this step finds the note, and does not append in the middle of the stream.
  await log.appendOnce(generationId, 'prompt-compress', [
    { type: 'prompt-compress', engine, tokensBefore, tokensAfter, reason },
  ]);
  return { sent: { ...input, messages }, compressed: { tokensBefore, tokensAfter } };
}

export type SentInputs = Contexts & {
  readonly compression: Pick<Dependencies['compression'], 'read'>;
};

/**
 * @returns null if it is lost. The whole context in place of the compressed one would cost more than was reserved, and
 * an attempt that continues another must send the same input.
 */
export async function readSentInput(
  dependencies: SentInputs,
  generation: Generation,
): Promise<GenerationInput | null> {
  const { log, compression } = dependencies;
  const input = await log.readInput(generation.generationId);
  if (input === null) return null;
  if (input.compression === undefined) return inContext(dependencies, generation, input);
  const compressed = await compression.read(generation.generationId);
  return compressed === null ? null : { ...input, messages: compressed.messages };
}

/** @returns null if a compaction in it cannot be opened; the same input if it is sent as it is. */
async function inContext(
  { log, context }: Contexts,
  { generationId, tenant }: Generation,
  input: GenerationInput,
): Promise<GenerationInput | null> {
  // Without a note the summary could not be written, and the whole conversation is sent.
  const events = input.compaction === undefined ? [] : await log.read(generationId, -1);
  const note = events.find((event) => event.type === 'compaction');
  const messages = await context.read(tenant, input, note?.sealed ?? null);
  if (messages === null) return null;
  return messages === input.messages ? input : { ...input, messages };
}
