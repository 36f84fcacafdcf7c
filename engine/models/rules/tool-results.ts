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
    const end = messages.findIndex(({ role }, index) => index >= at && role === 'assistant');
    ordered.push(...resultsInFront(messages.slice(at, end < 0 ? messages.length : end)));
    at = end < 0 ? messages.length : end;
  }
  return ordered;
}

/** A turn of the assistant behind its calls, and before their results, is part of the turn that made them. */
function withJoinedCalls(messages: readonly Message[]): readonly Message[] {
  const answered = new Set(messages.flatMap(resultsIn).map(({ id }) => id));
  const joined: Message[] = [];
  for (const message of messages) {
    const before = joined.at(-1);
    const isBehind = message.role === 'assistant' && before !== undefined && before.role === 'assistant';
    if (isBehind && callsIn(before).some(({ id }) => answered.has(id)))
      joined[joined.length - 1] = join(before, message);
    else joined.push(message);
  }
  return joined.length === messages.length ? messages : joined;
}

function join(before: Message, message: Message): Message {
  const hasText = partsOf(before).some(({ type }) => type === 'text');
  const parts = partsOf(message);
  const place = hasText ? parts.findIndex(({ type }) => type === 'text') : -1;
  const own = parts.map(
    (part, index): Part =>
      index === place && part.type === 'text' ? { ...part, text: `${BREAK}${part.text}` } : part,
  );
  return { ...before, ...message, content: [...partsOf(before), ...own] };
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
