/**
 * Where the results of tools stand. Every vendor wants the result of each call directly after the turn that made it.
 * Sources: Anthropic, "Handle tool calls"; OpenAI, "Function calling"; Gemini API, "Function calling".
 */
import { type Message, type Part, partsOf, type ToolResultPart } from '../../../contracts/content.ts';
import type { Violation } from './rule.ts';

/** The texts of one answer follow each other without a break. */
const BREAK = '\n\n';

/** Moves results that other turns separate from their calls. */
export function withResultsAfterCalls(conversation: readonly Message[]): readonly Message[] {
  if (!conversation.some(hasResult)) return conversation;
  const messages = withJoinedCalls(conversation);
  const ordered: Message[] = [];
  for (let at = 0; at < messages.length; ) {
    const message = messages[at];
    if (message === undefined) break;
    ordered.push(message);
    at += 1;
    if (callsIn(message).length === 0) continue;
    const begin = at;
    while (at < messages.length && messages[at]?.role !== 'assistant') at += 1;
    ordered.push(...resultsInFront(messages.slice(begin, at)));
  }
  return ordered;
}

/** A turn of the assistant behind its calls, and before their results, is part of the turn that made them. */
function withJoinedCalls(messages: readonly Message[]): readonly Message[] {
  const answered = new Set(messages.flatMap(resultsIn).map(({ id }) => id));
  const turns: Message[][] = [];
  let isOpen = false;
  for (const message of messages) {
    if (isOpen && message.role === 'assistant') turns.at(-1)?.push(message);
    else turns.push([message]);
    if (message.role !== 'assistant') isOpen = false;
    else isOpen ||= callsIn(message).some(({ id }) => answered.has(id));
  }
  return turns.length === messages.length ? messages : turns.map(join);
}

/** Messages of the assistant as one. */
function join([first, ...others]: readonly Message[]): Message {
  if (first === undefined) throw new RangeError('A turn has a message.');
  if (others.length === 0) return first;
  const joined = { ...first };
  const content: Part[] = [...partsOf(first)];
  let hasText = content.some(({ type }) => type === 'text');
  for (const message of others) {
    Object.assign(joined, message);
    const hadText = hasText;
    let isFirst = true;
    for (const part of partsOf(message)) {
      const isBroken = hadText && isFirst && part.type === 'text';
      content.push(isBroken ? { ...part, text: `${BREAK}${part.text}` } : part);
      if (part.type !== 'text') continue;
      isFirst = false;
      hasText = true;
    }
  }
  return { ...joined, content };
}

/** The client's turns after a call: all results in the first of them, whatever else it said after those. */
function resultsInFront(turns: readonly Message[]): readonly Message[] {
  const later = turns.slice(1).some(hasResult);
  const [first] = turns;
  if (first === undefined || (!later && first.role === 'user')) return turns;
  const results = turns.flatMap(resultsIn);
  if (results.length === 0) return turns;
  const rest = turns.flatMap((turn): Message[] => {
    const own = partsOf(turn).filter(({ type }) => type !== 'tool-result');
    if (own.length === 0) return [];
    return [own.length === partsOf(turn).length ? turn : { ...turn, content: own }];
  });
  return [{ role: 'user', content: results }, ...rest];
}

/** Calls without a result, and results without a call. */
export function* toolResultViolations(messages: readonly Message[]): Iterable<Violation> {
  let open = new Map<string, string>();
  for (const message of messages) {
    const results = resultsIn(message);
    for (const { id } of results) {
      if (!open.has(id))
        yield violation(`the result of the tool call "${shown(id)}" does not follow that call`);
      open.delete(id);
    }
    if (message.role === 'assistant') {
      yield* unanswered(open);
      open = new Map(callsIn(message).map(({ id, name }) => [id, name]));
    }
  }
  yield* unanswered(open);
}

function* unanswered(open: ReadonlyMap<string, string>): Iterable<Violation> {
  for (const [id, name] of open) {
    yield violation(`the tool call "${shown(id)}" of ${name} has no result after it`);
  }
}

function violation(demand: string): Violation {
  return { field: 'input', demand };
}

/** Ids of some vendors hold a signature of hundreds of characters. */
function shown(id: string): string {
  return id.length <= 64 ? id : `${id.slice(0, 60)}...`;
}

function resultsIn(message: Message): ToolResultPart[] {
  return partsOf(message).filter((part): part is ToolResultPart => part.type === 'tool-result');
}

function callsIn(message: Message): Extract<Part, { type: 'tool-call' }>[] {
  if (message.role !== 'assistant' || typeof message.content === 'string') return [];
  return message.content.flatMap((part) => (part.type === 'tool-call' ? [part] : []));
}

function hasResult({ content }: Message): boolean {
  return typeof content !== 'string' && content.some(({ type }) => type === 'tool-result');
}
