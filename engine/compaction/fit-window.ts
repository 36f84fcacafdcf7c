/** Leaves out the beginning of a conversation that is larger than the context window of its model. Pure. */
import type { Message } from '../../contracts/content.ts';
import { isInstruction } from './compacted-context.ts';
import { idsIn } from './plan-compaction.ts';

/** Without the first `count` messages that are no instructions. */
export function withoutFirst(messages: readonly Message[], count: number): readonly Message[] {
  let left = count;
  return messages.filter((message) => {
    if (left === 0 || isInstruction(message)) return true;
    left -= 1;
    return false;
  });
}

/**
 * How many messages to leave out, from the beginning: instructions stay, a call stays with its results, and what is
 * left begins with the words of a user if it can. The last message always stays.
 * @param tokens of each message. @param room for all of them.
 * @returns null if the instructions and the last turn alone are too large.
 */
export function omittedToFit(
  messages: readonly Message[],
  tokens: readonly number[],
  room: number,
): number | null {
  const turns = messages.flatMap((message, index) =>
    isInstruction(message) ? [] : [{ message, tokens: tokens[index] ?? 0 }],
  );
  let total = tokens.reduce((sum, own) => sum + own, 0);
  if (total <= room) return 0;
  const splits = splitPairs(turns.map(({ message }) => message));
  let fits: number | null = null;
  for (let omitted = 1; omitted < turns.length; omitted += 1) {
    total -= turns[omitted - 1]?.tokens ?? 0;
    if (total > room || splits[omitted] === true) continue;
    fits ??= omitted;
    if (beginsWithWords(turns[omitted]?.message)) return omitted;
  }
  return fits;
}

/** For each place: whether a call stands before it and its result does not. */
function splitPairs(messages: readonly Message[]): readonly boolean[] {
  const open = new Map<string, number>();
  const changes = new Array<number>(messages.length + 1).fill(0);
  for (const [index, message] of messages.entries()) {
    for (const id of idsIn(message, 'tool-call')) open.set(id, index);
    for (const id of idsIn(message, 'tool-result')) {
      const calledAt = open.get(id);
      if (calledAt === undefined) continue;
      changes[calledAt + 1] = (changes[calledAt + 1] ?? 0) + 1;
      changes[index + 1] = (changes[index + 1] ?? 0) - 1;
    }
  }
  let pairs = 0;
  return changes.map((change) => {
    pairs += change;
    return pairs > 0;
  });
}

function beginsWithWords(message: Message | undefined): boolean {
  return message?.role === 'user' && idsIn(message, 'tool-result').length === 0;
}
