/** What the simulated models say, and how it is cut into the deltas of a stream. */
import type { FinishReason } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { World } from './world.ts';

export type QuestionKind = 'text' | 'thinking' | 'tools' | 'json';

export type AnswerDelta =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  | {
      readonly type: 'tool-call';
      readonly index: number;
      readonly id: string;
      readonly name: string;
      readonly arguments: string;
    };

export interface Said {
  readonly text: string;
  readonly reasoning: string;
  /** By index: id, name and arguments, joined. */
  readonly calls: readonly string[];
}

export interface Answer {
  readonly deltas: readonly AnswerDelta[];
  readonly reason: FinishReason;
  /** The model was asked to continue a text and says something before the rest: what readers should end with. */
  readonly whole?: string;
}

/** The same variant gives the same words; others differ from some word on. So a restart may repeat an answer or not. */
export function makeAnswer(world: World, kind: QuestionKind, variant: number): Answer {
  if (kind === 'json') {
    const list = Array.from({ length: 1 + (variant % 3) }, (_, index) => `${variant}${index}`);
    const text = JSON.stringify({ city: variant % 2 === 0 ? 'Paris' : 'Rome', list });
    return { deltas: deltasOf(world, 'text', text), reason: 'stop' };
  }
  const deltas: AnswerDelta[] = [];
  if (kind === 'thinking' || (kind === 'tools' && variant % 2 === 1)) {
    deltas.push(...deltasOf(world, 'reasoning', wordsOf('?', variant, world.random.between(1, 3))));
  }
  const calls = kind === 'tools' && variant % 3 !== 2 ? 1 + (variant % 2) : 0;
  const words = calls > 0 && variant % 4 === 0 ? 0 : 2 + ((variant * 5) % 6);
  const text = deltasOf(world, 'text', wordsOf('', variant, words));
  const isTextLast = calls > 0 && world.chance(15);
  if (!isTextLast) deltas.push(...text);
  for (let index = 0; index < calls; index += 1) deltas.push(...callDeltas(world, variant, index));
  if (isTextLast) deltas.push(...text);
  const reason = calls > 0 ? 'tool-calls' : world.chance(15) ? 'length' : 'stop';
  return { deltas, reason };
}

/** The answer of a model that continues a text. */
export function makeContinuation(
  world: World,
  kind: QuestionKind,
  deliveredText: string,
  variant: number,
): Answer {
  if (kind === 'json') return makeAnswer(world, kind, variant);
  if (isTelling(deliveredText) && world.chance(20)) {
    const rest = wordsOf('+', variant, world.random.between(1, 3));
    const before = beforeTheRest(world, deliveredText);
    return { deltas: deltasOf(world, 'text', before + rest), reason: 'stop', whole: deliveredText + rest };
  }
  const whole = wordsOf('', 0, 7);
  const isRest = whole.startsWith(deliveredText) && whole !== deliveredText && world.chance(60);
  const text = isRest ? whole.slice(deliveredText.length) : wordsOf('+', variant, world.random.between(1, 3));
  const thoughts = kind === 'thinking' ? deltasOf(world, 'reasoning', wordsOf('!', variant, 1)) : [];
  const calls = kind === 'tools' && world.chance(40) ? callDeltas(world, variant, 0) : [];
  return {
    deltas: [...thoughts, ...deltasOf(world, 'text', text), ...calls],
    reason: calls.length > 0 ? 'tool-calls' : world.chance(15) ? 'length' : 'stop',
  };
}

/** How models disobey: the answer from its start, its end again, a remark, or a remark and one of the others. */
function beforeTheRest(world: World, deliveredText: string): string {
  const remark = world.pick(['', '', 'Sure, here is the rest:\n\n', 'Continuing from where I left off:\n']);
  const end = deliveredText.slice(-LIMITS.leastContinuedChars);
  const again = world.pick([deliveredText, deliveredText, end, '']);
  return remark === '' && again === '' ? deliveredText : remark + again;
}

/** Whether a text that begins with this one repeats it: not a few characters, and no refrain. */
function isTelling(text: string): boolean {
  return text.length >= 8 && text.indexOf(text.slice(0, 4), 1) === -1;
}

/** The first words are common to all variants. */
function wordsOf(mark: string, variant: number, count: number): string {
  const common = (variant * 2) % 4;
  const words = Array.from({ length: count }, (_, index) =>
    variant === 0 || index < common ? `${mark}w${index} ` : `${mark}v${variant}.${index} `,
  );
  return words.join('');
}

function callDeltas(world: World, variant: number, index: number): AnswerDelta[] {
  const call = { type: 'tool-call', index, id: `call_${variant}_${index}`, name: 'look_up' } as const;
  const whole = JSON.stringify({ variant, index, city: 'Paris' });
  const first = world.chance(50) ? [{ ...call, arguments: '' }] : [];
  return [...first, ...cut(world, whole).map((delta) => ({ ...call, arguments: delta }))];
}

function deltasOf(world: World, type: 'text' | 'reasoning', whole: string): AnswerDelta[] {
  return cut(world, whole).map((text) => ({ type, text }));
}

/** Cuts at any place: a delta is seldom a word. */
function cut(world: World, whole: string): string[] {
  const deltas: string[] = [];
  const longest = world.pick([2, 8, 24]);
  for (let from = 0; from < whole.length; ) {
    const length = world.random.between(1, longest);
    deltas.push(whole.slice(from, from + length));
    from += length;
  }
  return deltas;
}

export function saidIn(deltas: readonly AnswerDelta[]): Said {
  let text = '';
  let reasoning = '';
  const calls: string[] = [];
  for (const delta of deltas) {
    if (delta.type === 'text') text += delta.text;
    else if (delta.type === 'reasoning') reasoning += delta.text;
    else {
      calls[delta.index] = (calls[delta.index] ?? `${delta.id} ${delta.name} `) + delta.arguments;
    }
  }
  return { text, reasoning, calls };
}

/** The text of the first deltas, or of all. */
export function textIn(deltas: readonly AnswerDelta[], count = deltas.length): string {
  let text = '';
  for (let index = 0; index < count; index += 1) {
    const delta = deltas[index];
    if (delta?.type === 'text') text += delta.text;
  }
  return text;
}

export function charsIn(deltas: readonly AnswerDelta[]): number {
  return deltas.reduce(
    (sum, delta) => sum + (delta.type === 'tool-call' ? delta.arguments : delta.text).length,
    0,
  );
}
