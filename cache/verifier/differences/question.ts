/** How is not why, whether is not when, and what was is not what is. */
import type { Check } from './difference.ts';

/** Frames that may stand for none: a bare phrase asks what it is. */
const GENERAL = new Set(['<what>', '<make>']);
/** What a frame asks, where it may be one of two. */
const SENSES: Readonly<Record<string, readonly string[]>> = {
  '<wherehow>': ['<where>', '<how>'],
  '<much>': ['<many>'],
};

export const question: Check = ({ left, right }) => {
  if (left.tense !== null && right.tense !== null && left.tense !== right.tense) {
    return { kind: 'question', detail: `${left.tense} and ${right.tense}` };
  }
  const [one, other] = [specific(left.frames), specific(right.frames)];
  const isSame =
    one.length === other.length && one.every((frame, index) => mayMean(frame, other[index] ?? ''));
  return isSame ? null : { kind: 'question', detail: `${one.join(' ')} and ${other.join(' ')}` };
};

function specific(frames: readonly string[]): string[] {
  return [...new Set(frames.filter((frame) => !GENERAL.has(frame)))].sort();
}

function mayMean(one: string, other: string): boolean {
  const senses = (frame: string) => SENSES[frame] ?? [frame];
  return senses(one).some((sense) => senses(other).includes(sense));
}
