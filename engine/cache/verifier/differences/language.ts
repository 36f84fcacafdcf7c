/** Another language of the answer, of people or of machines. */
import type { Comparison, Side } from '../compare-facts.ts';
import { type Veto, wordSet } from './difference.ts';

/** In English, and as they call themselves. */
const NATURAL = wordSet(
  'english german french spanish italian portuguese dutch polish czech slovak russian ukrainian turkish arabic hebrew hindi ' +
    'urdu punjabi bengali gujarati tamil telugu marathi malayalam kannada nepali sinhala pashto kurdish farsi persian ' +
    'chinese mandarin cantonese japanese korean thai vietnamese indonesian malay tagalog filipino burmese khmer mongolian ' +
    'swedish norwegian danish finnish icelandic estonian latvian lithuanian greek hungarian romanian bulgarian serbian ' +
    'croatian bosnian slovenian macedonian albanian armenian georgian welsh irish gaelic scots basque catalan galician ' +
    'latin esperanto swahili somali amharic yoruba igbo hausa zulu afrikaans yiddish maltese ' +
    'deutsch français francais español espanol castellano italiano português portugues nederlands polski türkçe svenska',
);
const MACHINE = wordSet(
  'python javascript typescript golang java ruby php kotlin scala c++ c# matlab haskell lua elixir perl rust swift dart julia bash',
);
/** The English of an answer goes without saying. */
const IMPLIED = 'english';
const IN_LANGUAGE = /^(?:in|into|to|auf|en|plain|simple|easy|translate)$/;
const AFTER_LANGUAGE = /^(?:please|bitte|translation|version|text|letter|email|words?|for|¶)?$/;

export const language: Veto = ({ left, right }: Comparison) => {
  for (const names of [NATURAL, MACHINE]) {
    const [ofLeft, ofRight] = [languagesOf(left, names), languagesOf(right, names)];
    const [first, second] = [ofLeft[0], ofRight[0]];
    if (first !== undefined && second !== undefined)
      return { kind: 'language', detail: `${first} and ${second}` };
    const single = [...ofLeft, ...ofRight].find((name) => name !== IMPLIED && isAsked(name, [left, right]));
    if (single !== undefined) return { kind: 'language', detail: single };
  }
  return null;
};

function languagesOf({ words }: Side, names: ReadonlySet<string>): string[] {
  return words.filter(({ word, lemma }) => names.has(word) || names.has(lemma)).map(({ word }) => word);
}

function isAsked(name: string, sides: readonly Side[]): boolean {
  return sides.some(({ facts: { all } }) => {
    const at = all.indexOf(name);
    return at >= 0 && (IN_LANGUAGE.test(all[at - 1] ?? '') || AFTER_LANGUAGE.test(all[at + 1] ?? ''));
  });
}
