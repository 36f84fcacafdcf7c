/** Chunks of any server in the form in which all are read: at most one choice, whose parts stand in its delta. */
import type { ChatCompletionChunk } from 'openai/resources/chat/completions';

type Fields = Readonly<Record<string, unknown>>;

/** A chunk as it is. Some servers answer whole, or with a message in place of a delta. */
export function asChunk(chunk: ChatCompletionChunk): ChatCompletionChunk {
  const choices = listed(chunk.choices);
  if (!choices.some(({ message, delta }) => isFields(message) && !delta)) return chunk;
  return withChoices(
    chunk,
    choices.map(({ message, ...others }) => (others['delta'] ? others : { ...others, delta: message })),
  );
}

/**
 * The chunk with one choice. Some servers spread an answer over several (Copilot sends the calls in a second one), and
 * some write a call as it was written before there were tools, or without a list.
 */
export function withOneChoice(chunk: ChatCompletionChunk): ChatCompletionChunk {
  const { choices } = chunk;
  if (!Array.isArray(choices)) return chunk;
  if (isPlain(choices)) return chunk;
  const [first, ...others] = listed(choices);
  if (first === undefined) return choices.length === 0 ? chunk : withChoices(chunk, []);
  const same = others.filter(({ index }) => index === undefined || index === first['index']);
  const choice = same.reduce(joined, { ...first, delta: readable(first['delta']) });
  return withChoices(chunk, [choice]);
}

/** As nearly all chunks are. */
function isPlain(choices: readonly unknown[]): boolean {
  const [choice] = choices;
  const delta = isFields(choice) ? choice['delta'] : null;
  return choices.length === 1 && isFields(delta) && !delta['tool_calls'] && !delta['function_call'];
}

function withChoices(chunk: ChatCompletionChunk, choices: readonly Fields[]): ChatCompletionChunk {
  return { ...chunk, choices } as unknown as ChatCompletionChunk;
}

function joined(before: Fields, choice: Fields): Fields {
  const deltas = [readable(before['delta']), readable(choice['delta'])] as const;
  const delta: Record<string, unknown> = { ...deltas[0] };
  for (const [name, value] of Object.entries(deltas[1])) {
    if (value === null || value === undefined) continue;
    const known = delta[name];
    if (Array.isArray(known) && Array.isArray(value)) delta[name] = [...known, ...value];
    else if (name !== 'role' && typeof known === 'string' && typeof value === 'string') {
      delta[name] = known + value;
    } else delta[name] = value;
  }
  const reason = choice['finish_reason'] ?? before['finish_reason'];
  return { ...before, ...choice, delta, finish_reason: reason };
}

function readable(delta: unknown): Fields {
  if (!isFields(delta)) return {};
  const { tool_calls: calls, function_call: called } = delta;
  if (isFields(called) && !hasItems(calls)) return { ...delta, tool_calls: [{ function: called }] };
  if (calls === undefined || calls === null) return delta;
  const list = isFields(calls) ? [calls] : listed(calls);
  return { ...delta, tool_calls: list.map(withFunction) };
}

/** Some servers leave out the object around the name and the arguments. */
function withFunction(call: Fields): Fields {
  const { name, arguments: written } = call;
  return call['function'] === undefined && name !== undefined
    ? { ...call, function: { name, arguments: written } }
    : call;
}

function hasItems(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : isFields(value);
}

function listed(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
