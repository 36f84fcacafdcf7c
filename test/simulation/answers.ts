/** What the simulated models say, and how it is cut into the pieces of a stream. */
import type { FinishReason } from '../../contracts/generation.ts';
import type { World } from './world.ts';

export type QuestionKind = 'text' | 'thinking' | 'tools' | 'json';

export type Piece =
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
  readonly pieces: readonly Piece[];
  readonly reason: FinishReason;
  /** The model was asked to continue a text and begins with all of it again. */
  readonly repeats?: true;
}

/** The same variant gives the same words, and others differ from some word on: so a restart may repeat an answer or not. */
export function makeAnswer(world: World, kind: QuestionKind, variant: number): Answer {
  if (kind === 'json') {
    const list = Array.from({ length: 1 + (variant % 3) }, (_, index) => `${variant}${index}`);
    const text = JSON.stringify({ city: variant % 2 === 0 ? 'Paris' : 'Rome', list });
    return { pieces: piecesOf(world, 'text', text), reason: 'stop' };
  }
  const pieces: Piece[] = [];
  if (kind === 'thinking' || (kind === 'tools' && variant % 2 === 1)) {
    pieces.push(...piecesOf(world, 'reasoning', wordsOf('?', variant, world.random.between(1, 3))));
  }
  const calls = kind === 'tools' && variant % 3 !== 2 ? 1 + (variant % 2) : 0;
  const words = calls > 0 && variant % 4 === 0 ? 0 : 2 + ((variant * 5) % 6);
  const text = piecesOf(world, 'text', wordsOf('', variant, words));
  const isTextLast = calls > 0 && world.chance(15);
  if (!isTextLast) pieces.push(...text);
  for (let index = 0; index < calls; index += 1) pieces.push(...callPieces(world, variant, index));
  if (isTextLast) pieces.push(...text);
  const reason = calls > 0 ? 'tool-calls' : world.chance(15) ? 'length' : 'stop';
  return { pieces, reason };
}

/** What a model says when it goes on with a text. */
export function makeContinuation(
  world: World,
  kind: QuestionKind,
  deliveredText: string,
  variant: number,
): Answer {
  if (kind === 'json') return makeAnswer(world, kind, variant);
  if (isTelling(deliveredText) && world.chance(20)) {
    const again = deliveredText + wordsOf('+', variant, world.random.between(1, 3));
    return { pieces: piecesOf(world, 'text', again), reason: 'stop', repeats: true };
  }
  const whole = wordsOf('', 0, 7);
  const isRest = whole.startsWith(deliveredText) && whole !== deliveredText && world.chance(60);
  const text = isRest ? whole.slice(deliveredText.length) : wordsOf('+', variant, world.random.between(1, 3));
  const thoughts = kind === 'thinking' ? piecesOf(world, 'reasoning', wordsOf('!', variant, 1)) : [];
  const calls = kind === 'tools' && world.chance(40) ? callPieces(world, variant, 0) : [];
  return {
    pieces: [...thoughts, ...piecesOf(world, 'text', text), ...calls],
    reason: calls.length > 0 ? 'tool-calls' : world.chance(15) ? 'length' : 'stop',
  };
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

function callPieces(world: World, variant: number, index: number): Piece[] {
  const call = { type: 'tool-call', index, id: `call_${variant}_${index}`, name: 'look_up' } as const;
  const whole = JSON.stringify({ variant, index, city: 'Paris' });
  const first = world.chance(50) ? [{ ...call, arguments: '' }] : [];
  return [...first, ...cut(world, whole).map((piece) => ({ ...call, arguments: piece }))];
}

function piecesOf(world: World, type: 'text' | 'reasoning', whole: string): Piece[] {
  return cut(world, whole).map((text) => ({ type, text }));
}

/** At any place: a piece is seldom a word. */
function cut(world: World, whole: string): string[] {
  const pieces: string[] = [];
  const longest = world.pick([2, 8, 24]);
  for (let from = 0; from < whole.length; ) {
    const length = world.random.between(1, longest);
    pieces.push(whole.slice(from, from + length));
    from += length;
  }
  return pieces;
}

export function saidIn(pieces: readonly Piece[]): Said {
  let text = '';
  let reasoning = '';
  const calls: string[] = [];
  for (const piece of pieces) {
    if (piece.type === 'text') text += piece.text;
    else if (piece.type === 'reasoning') reasoning += piece.text;
    else {
      calls[piece.index] = (calls[piece.index] ?? `${piece.id} ${piece.name} `) + piece.arguments;
    }
  }
  return { text, reasoning, calls };
}

export function charsIn(pieces: readonly Piece[]): number {
  return pieces.reduce(
    (sum, piece) => sum + (piece.type === 'tool-call' ? piece.arguments : piece.text).length,
    0,
  );
}
