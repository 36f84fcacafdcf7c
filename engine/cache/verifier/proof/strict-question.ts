/** Finds a different kind of question: how and why, whether and when, what was and what is. */
import type { Check } from '../differences/difference.ts';

/** The frames that an ambiguous frame may mean. */
const SENSES: Readonly<Record<string, readonly string[]>> = {
  '<wherehow>': ['<where>', '<how>'],
  '<canhow>': ['<can>', '<how>'],
  '<much>': ['<many>'],
  '<manytime>': ['<many>', '<long>'],
  '<which>': ['<what>', '<who>'],
  '<give>': ['<what>', '<make>', '<who>'],
  // A bare phrase.
  '': ['<what>', '<make>'],
};

export const question: Check = ({ left, right }) => {
  if (left.tense !== null && right.tense !== null && left.tense !== right.tense) {
    return { kind: 'question', detail: `${left.tense} and ${right.tense}` };
  }
  const [leftFrames, rightFrames] = [askedFrames(left.frames), askedFrames(right.frames)];
  const isSame =
    leftFrames.length === rightFrames.length &&
    leftFrames.every((frame, index) => mayMean(frame, rightFrames[index] ?? ''));
  return isSame ? null : { kind: 'question', detail: `${leftFrames.join(' ')} and ${rightFrames.join(' ')}` };
};

const GENERAL = new Set(['<what>', '<which>', '<give>']);

/** General frames are dropped beside a more specific one. */
function askedFrames(frames: readonly string[]): string[] {
  const telling = frames.filter((frame) => !GENERAL.has(frame));
  return telling.length > 0 ? [...new Set(telling)].sort() : [frames[0] ?? ''];
}

function mayMean(left: string, right: string): boolean {
  const senses = (frame: string) => SENSES[frame] ?? [frame];
  return senses(left).some((sense) => senses(right).includes(sense));
}
