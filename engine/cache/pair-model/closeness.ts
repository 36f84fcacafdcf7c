/**
 * How much of two prompts is said in other words. A near miss mostly differs in a word or two, and so does a typing
 * error: there the model must be surer than about two prompts that have few words in common.
 */
export type Closeness = 'close' | 'reworded';

/** What a value is for either. */
export type PerCloseness<Value> = Readonly<Record<Closeness, Value>>;

/** Reworded prompts have at least this many words that the other one lacks, both of them. */
const FEWEST_OWN_WORDS = 3;
const FUNCTION_WORDS = new Set(
  (
    'a an the of to in on for is are was were be been do does did how what which who when where why can could would ' +
    'should will i me my we our you your it its this that and or with at by from as if so please'
  ).split(' '),
);
/** Words with the same beginning are forms of one word: install, installation. */
const STEM_CHARS = 5;

export function closenessOf(first: string, second: string): Closeness {
  const [own, others] = [stemsOf(first), stemsOf(second)];
  const fewest = Math.min(lackingIn(others, own), lackingIn(own, others));
  return fewest >= FEWEST_OWN_WORDS ? 'reworded' : 'close';
}

function lackingIn(others: ReadonlySet<string>, own: ReadonlySet<string>): number {
  return [...own].filter((stem) => !others.has(stem)).length;
}

function stemsOf(prompt: string): Set<string> {
  const words = prompt.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];
  return new Set(words.filter((word) => !FUNCTION_WORDS.has(word)).map(stemOf));
}

function stemOf(word: string): string {
  return word.length > STEM_CHARS ? word.slice(0, STEM_CHARS) : word.replace(/s+$/, '');
}
