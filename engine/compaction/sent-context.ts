/** The port to the conversation as a model reads it, and to the seal of what a new summary stands for. */
import { compactionsIn } from '../../contracts/compaction.ts';
import { type Message, type Part, partsOf, type ResultContent } from '../../contracts/content.ts';
import type { GenerationInput } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { isInstruction, withCompaction, withCompactions } from './compacted-context.ts';
import { type CompactionSeals, openCompactions } from './compaction-seals.ts';
import { withoutFirst } from './fit-window.ts';

type ReadInput = Pick<GenerationInput, 'messages' | 'omittedMessages' | 'compaction'>;

export interface SentContext {
  /**
   * The messages of an input as they are sent.
   * @param written the seal of the compaction that the input has planned; null if there is none, or it was not written.
   * @returns null if a compaction cannot be opened.
   */
  read(tenant: string, input: ReadInput, written: string | null): Promise<readonly Message[] | null>;
  /** Seals what the summary stands for that the input has planned. @returns null if it is too large. */
  seal(tenant: string, input: ReadInput, summary: string): Promise<string | null>;
}

export class SealedContext implements SentContext {
  readonly #seals: CompactionSeals;

  constructor(seals: CompactionSeals) {
    this.#seals = seals;
  }

  async read(tenant: string, input: ReadInput, written: string | null): Promise<readonly Message[] | null> {
    const { messages, compaction, omittedMessages = 0 } = input;
    if (compaction !== undefined && written !== null) {
      const context = await this.#seals.open(tenant, written);
      return context === null ? null : withCompaction(messages, context, compaction.from);
    }
    if (omittedMessages === 0 && compactionsIn(messages).length === 0) return messages;
    const opened = await openCompactions(this.#seals, tenant, messages);
    return opened === null ? null : withoutFirst(withCompactions(messages, opened), omittedMessages);
  }

  async seal(tenant: string, { messages, compaction }: ReadInput, summary: string): Promise<string | null> {
    const from = compaction?.from ?? 0;
    const opened = await openCompactions(this.#seals, tenant, messages);
    if (opened === null) return null;
    const lead = withCompactions(messages.slice(0, from), opened).filter(isInstruction);
    const tail = messages.slice(from);
    const context = { summary, lead, keepsUserMessages: false };
    const sealed = await this.#seals.seal(tenant, { ...context, tail });
    if (sealed.length <= LIMITS.sealedCompactionChars) return sealed;
    const smaller = await this.#seals.seal(tenant, { ...context, tail: tail.map(withoutMedia) });
    return smaller.length <= LIMITS.sealedCompactionChars ? smaller : null;
  }
}

/** The turns that follow have the words about an image or file, and not the image or file itself. */
function withoutMedia(message: Message): Message {
  const content = partsOf(message).map((part): Part => {
    if (part.type !== 'tool-result' || typeof part.content === 'string') return named(part);
    return { ...part, content: part.content.map(named) };
  });
  return { ...message, content };
}

function named<Own extends Part | ResultContent>(part: Own): Own | Extract<ResultContent, { type: 'text' }> {
  if (part.type === 'image') return { type: 'text', text: '[an image]' };
  return part.type === 'file' ? { type: 'text', text: `[the file ${part.name ?? 'without a name'}]` } : part;
}
