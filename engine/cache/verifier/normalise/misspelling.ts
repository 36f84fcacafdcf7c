/** Whether a word that no dictionary has is a wrong spelling of one that it has: mistyped, shortened, or by ear. */
import { isShortFor } from './abbreviations.ts';
import { isTypoOf } from './spelling.ts';

/** Longer ones are not compared: the cost grows with their square. */
const MOST_LETTERS = 30;
/** A shorter one is rather short for a longer one than another with letters too many: iso is not is. */
const LETTERS_OF_A_SHORT_WORD = 5;
/** Shorter ones sound like too many others. */
const LETTERS_OF_A_SOUND = 4;
/** Edits that a word of so many letters may have. */
const MOST_EDITS: readonly (readonly [letters: number, edits: number])[] = [
  [9, 3],
  [6, 2],
  [4, 1],
];
/** Letters that sound alike, in the order in which they are replaced. */
const SOUNDS: readonly (readonly [RegExp, string])[] = [
  [/^wh/, 'w'],
  [/^kn/, 'n'],
  [/^wr/, 'r'],
  [/^ps/, 's'],
  [/tion|sion|shun|cion/g, 'shn'],
  [/ph/g, 'f'],
  [/ck|q|ch(?=[rlm])/g, 'k'],
  [/c(?=[eiy])/g, 's'],
  [/c(?!h)/g, 'k'],
  [/x/g, 'ks'],
  [/gh(?=t)|gh$/g, ''],
  [/dg/g, 'j'],
  [/z/g, 's'],
  [/mb$/g, 'm'],
];
const DOUBLED = /(.)\1+/g;

/** Both of letters from a to z. */
export function isMisspelling(wrong: string, right: string): boolean {
  const longest = Math.max(wrong.length, right.length);
  if (longest > MOST_LETTERS) return false;
  if (isTypoOf(wrong, right) || startIsExchanged(wrong, right)) return true;
  if (wrong.length < LETTERS_OF_A_SHORT_WORD && right.length < wrong.length) return false;
  const sound = soundOf(wrong);
  const soundsAlike = wrong.length >= LETTERS_OF_A_SOUND && sound === soundOf(right);
  if (wrong[0] !== right[0] && !soundsAlike) return false;
  const edits = editsBetween(wrong, right);
  const [, most = 0] = MOST_EDITS.find(([letters]) => longest >= letters) ?? [];
  if (wrong[0] === right[0] && edits <= most) return true;
  if (wrong.length < 3 || edits > Math.max(2, longest / 2)) return false;
  return soundsAlike || (isShortFor(wrong, right) && consonantsOf(wrong) === consonantsOf(right));
}

/** omnday */
function startIsExchanged(wrong: string, right: string): boolean {
  return wrong.length > 3 && wrong === `${right[1]}${right[0]}${right.slice(2)}`;
}

function soundOf(word: string): string {
  let sound = word;
  for (const [letters, written] of SOUNDS) sound = sound.replace(letters, written);
  return (
    (sound[0] ?? '') +
    sound
      .slice(1)
      .replace(/[aeiouyhw]+/g, '')
      .replace(DOUBLED, '$1')
  );
}

function consonantsOf(word: string): string {
  return (
    (word[0] ?? '') +
    word
      .slice(1)
      .replace(/[aeiouy]/g, '')
      .replace(DOUBLED, '$1')
  );
}

/** Letters more, less or other, and neighbours exchanged. */
function editsBetween(a: string, b: string): number {
  let [before, row] = [[] as number[], Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const isExchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next.push(
        Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1]),
          isExchanged ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}
