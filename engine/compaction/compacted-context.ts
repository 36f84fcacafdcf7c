/** What a model reads in place of the turns that were compacted. Pure. */
import { sealOfCompaction } from '../../contracts/compaction.ts';
import { type Message, type Part, partsOf } from '../../contracts/content.ts';

/** What a compaction stands for. */
export interface CompactedContext {
  /** In the words of the model that wrote it. */
  readonly summary: string;
  /** The instructions of the compacted turns: their system and developer messages. */
  readonly lead: readonly Message[];
  /** The turns after the summarised ones that stood before the compaction, word for word. */
  readonly tail: readonly Message[];
  /** Whether the user messages before the compaction stay in the conversation. */
  readonly keepsUserMessages: boolean;
}

const INTRODUCTION =
  'The earlier turns of this conversation were replaced by a summary, which an assistant has written. Continue from it:';

/** The conversation with its last compaction in place of the turns before it. */
export function withCompactions(
  messages: readonly Message[],
  opened: ReadonlyMap<string, CompactedContext>,
): readonly Message[] {
  const at = messages.findLastIndex((message) => placeIn(message) >= 0);
  const message = messages[at];
  if (message === undefined) return messages;
  const parts = partsOf(message);
  const place = placeIn(message);
  const sealed = sealOfCompaction(parts[place] as Part);
  const context = sealed === null ? undefined : opened.get(sealed);
  if (context === undefined) throw new Error('a compaction was not opened');
  const { lead, tail } = context;
  const rest = parts.slice(place + 1);
  return [
    ...lead,
    ...keptOf(messages.slice(0, at), context),
    summaryMessage(context.summary),
    ...tail,
    ...(rest.length === 0 ? [] : [{ ...message, content: [...rest] }]),
    ...messages.slice(at + 1),
  ];
}

/** The conversation of a generation whose older turns, up to `from`, have just been compacted. */
export function withCompaction(
  messages: readonly Message[],
  { lead, summary }: Pick<CompactedContext, 'lead' | 'summary'>,
  from: number,
): readonly Message[] {
  return [...lead, summaryMessage(summary), ...messages.slice(from)];
}

export function isInstruction({ role }: Message): boolean {
  return role === 'system' || role === 'developer';
}

function placeIn({ content }: Message): number {
  return typeof content === 'string' ? -1 : content.findLastIndex((part) => sealOfCompaction(part) !== null);
}

function summaryMessage(summary: string): Message {
  return { role: 'user', content: `${INTRODUCTION}\n\n${summary}` };
}

/** Instructions that the compaction does not have, such as those of a client that adds them to every request. */
function keptOf(
  before: readonly Message[],
  { lead, keepsUserMessages }: CompactedContext,
): readonly Message[] {
  const known = new Set(lead.map((message) => JSON.stringify(message)));
  return before.flatMap((message) => {
    if (isInstruction(message)) return known.has(JSON.stringify(message)) ? [] : [message];
    return keepsUserMessages && message.role === 'user' ? withoutResults(message) : [];
  });
}

/** The results of tools belong to calls that are no longer there. */
function withoutResults(message: Message): readonly Message[] {
  const parts = partsOf(message).filter(({ type }) => type !== 'tool-result');
  if (parts.length === 0) return [];
  return parts.length === partsOf(message).length ? [message] : [{ ...message, content: parts }];
}
