/** Turns texts into the word pieces of BERT, as our models were trained with: lower case, without accents. */
import { Tokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { readModelJson } from './model-files.ts';

export const WEIGHTS = new URL('./weights/', import.meta.url);
const tokenizerSchema = z.record(z.string(), z.unknown());
/** The ids of [PAD], [UNK], [CLS], [SEP] and [MASK]; all others are pieces of words. */
const FIRST_PIECE = 5;

/** What a model reads: the id of each piece, and to which of two texts it belongs (0 or 1). */
export interface WordPieces {
  readonly ids: readonly number[];
  readonly types: readonly number[];
  /** Whether the vocabulary has all of it. It has no letters of Asia, for one, and reads each of them as "unknown". */
  readonly isKnown: boolean;
}

export class WordPieceReader {
  readonly #tokenizer = new Tokenizer(tokenizerSchema.parse(readModelJson(WEIGHTS, 'tokenizer.json')), {});

  read(text: string): WordPieces {
    const { ids } = this.#tokenizer.encode(text);
    return { ids, types: ids.map(() => 0), isKnown: countSpecial(ids) === 2 };
  }

  readPair(first: string, second: string): WordPieces {
    const encoded = this.#tokenizer.encode(first, { text_pair: second, return_token_type_ids: true });
    const { ids, token_type_ids: types } = encoded;
    // A text that spells out a mark, such as [SEP], is not known either: it would seem to end there.
    return { ids, types, isKnown: countSpecial(ids) === 3 };
  }
}

function countSpecial(ids: readonly number[]): number {
  return ids.filter((id) => id < FIRST_PIECE).length;
}
