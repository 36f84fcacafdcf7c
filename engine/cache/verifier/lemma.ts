/** Finds the base form of a word: by WordNet's rules of detachment, and by a list of irregular forms. */
import type { WordNet } from './wordnet.ts';

/** Base form, then its other forms. */
const IRREGULAR = `
be am is are was were been being;have has had having;do does did done doing;go goes went gone;get gets got gotten getting
say said;make made;know knew known;think thought;take took taken;see saw seen;come came;give gave given;find found
tell told;feel felt;leave left;put;mean meant;keep kept;let;begin began begun;show shown;hear heard;run ran
hold held;bring brought;write wrote written writing;sit sat;stand stood;lose lost;pay paid;meet met;set;learn learnt
lead led;understand understood;speak spoke spoken;read;spend spent;grow grew grown;win won;teach taught;buy bought
send sent;build built;fall fell fallen;cut;sell sold;drive drove driven;break broke broken;choose chose chosen
wear wore worn;eat ate eaten;drink drank drunk;draw drew drawn;fly flew flown flies;throw threw thrown;rise rose risen
catch caught;fight fought;sleep slept;swim swam swum;sing sang sung;forget forgot forgotten;freeze froze frozen
hide hid hidden;steal stole stolen;shake shook shaken;bite bit bitten;blow blew blown;feed fed;lay laid;lie lay lain
lend lent;ride rode ridden;ring rang rung;shoot shot;shut;sink sank sunk;spread;stick stuck;strike struck
swear swore sworn;wake woke woken;bend bent;bind bound;bleed bled;burn burnt;deal dealt;dig dug;hang hung;hit;hurt
light lit;quit;seek sought;shine shone;spin spun;split;tear tore torn;withdraw withdrew withdrawn;beat beaten
become became;cost;arise arose arisen;overcome overcame;rewrite rewrote rewritten;undo undid undone;redo redid redone
child children;man men;woman women;person people;foot feet;tooth teeth;mouse mice;datum data;medium media
criterion criteria;phenomenon phenomena;analysis analyses;index indices indexes;life lives;leaf leaves;wife wives
half halves;knife knives;shelf shelves;bacterium bacteria;fungus fungi;tax taxes;die dies died dying`;

const FORMS = new Map<string, string>();
for (const entry of IRREGULAR.trim().split(/[;\n]/)) {
  const [base = '', ...forms] = entry.split(' ');
  for (const form of [base, ...forms]) if (!FORMS.has(form)) FORMS.set(form, base);
}

const NOUN_ENDINGS: readonly (readonly [string, string])[] = [
  ['ies', 'y'],
  ['uses', 'us'],
  ['ches', 'ch'],
  ['shes', 'sh'],
  ['sses', 'ss'],
  ['xes', 'x'],
  ['zes', 'z'],
  ['oes', 'o'],
  ['ves', 'f'],
  ['s', ''],
];
const VERB_ENDINGS: readonly (readonly [string, string])[] = [
  ['ies', 'y'],
  ['ied', 'y'],
  ['es', 'e'],
  ['es', ''],
  ['s', ''],
  ['ed', 'e'],
  ['ed', ''],
  ['ing', 'e'],
  ['ing', ''],
];

export function createLemmatizer(wordNet: WordNet): (word: string) => string {
  return (word) => {
    const irregular = FORMS.get(word);
    if (irregular !== undefined) return irregular;
    if (word.length < 4 || !/^[a-z]+$/.test(word)) return word;
    const noun = detach(word, NOUN_ENDINGS, (base) => wordNet.has(base, 'noun'));
    const verb = detach(word, VERB_ENDINGS, (base) => wordNet.has(base, 'verb'));
    if (word.endsWith('s') && !/(ss|us|is)$/.test(word)) {
      // A plural that no dictionary has: DataFrames.
      return noun ?? verb ?? (wordNet.relations(word).isKnown ? word : word.slice(0, -1));
    }
    if (word.endsWith('ing') || word.endsWith('ed')) return verb ?? word;
    return word;
  };
}

function detach(
  word: string,
  endings: readonly (readonly [string, string])[],
  isWord: (base: string) => boolean,
): string | undefined {
  for (const [ending, replacement] of endings) {
    if (!word.endsWith(ending)) continue;
    const base = word.slice(0, -ending.length) + replacement;
    if (base.length > (ending === 'uses' ? 3 : 1) && isWord(base)) return base;
    // planning: plan
    const single = /([bdfglmnprt])\1$/.test(base) ? base.slice(0, -1) : '';
    if (replacement === '' && single !== '' && isWord(single)) return single;
  }
  return undefined;
}
