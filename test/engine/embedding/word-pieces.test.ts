import { describe, expect, test } from '@jest/globals';
import { WordPieceReader } from '../../../engine/embedding/word-pieces.ts';

const reader = new WordPieceReader();

describe('a text is read in word pieces', () => {
  // By Hugging Face's own tokenizer, in Rust, from the same file.
  test.each<[string, number[]]>([
    ['How do I reset my password?', [2, 276, 226, 51, 23242, 173, 18900, 35, 3]],
    [
      'Wie viel kostet ein Café-Besuch in Zürich, 3,50 €?',
      [
        2, 13669, 210, 18213, 287, 10990, 11614, 249, 14547, 5815, 17, 169, 4489, 965, 146, 8350, 16, 23, 16,
        900, 140, 35, 3,
      ],
    ],
    [
      "It's 5°C; what's the naïve résumé's state-of-the-art?",
      [
        2, 156, 11, 61, 25, 5884, 425, 31, 201, 11, 61, 143, 13876, 11887, 11, 61, 257, 17, 144, 17, 143, 17,
        543, 35, 3,
      ],
    ],
    ['東京の天気は？', [2, 1, 1, 1, 1, 1, 1, 1, 3]],
    ['I 😩 love\tit\u200b!', [2, 51, 1, 440, 156, 5, 3]],
    ['see [SEP] here', [2, 303, 3, 329, 3]],
  ])('as the model was trained: %s', (text, ids) => {
    expect(reader.read(text)).toMatchObject({ ids, types: ids.map(() => 0) });
  });

  test('and two texts one after the other', () => {
    expect(reader.readPair('Is it open?', 'Is it closed?')).toEqual({
      ids: [2, 150, 156, 477, 35, 3, 150, 156, 848, 35, 3],
      types: [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1],
      isKnown: true,
    });
  });

  test.each(['東京の天気は？', 'I 😩 it', 'see [SEP] here', 'a [MASK]', '[PAD]', '[CLS] a'])(
    'and says that it does not have all of: %s',
    (text) => {
      expect(reader.read(text).isKnown).toBe(false);
      expect(reader.readPair('Why?', text).isKnown).toBe(false);
      expect(reader.readPair(text, text).isKnown).toBe(false);
    },
  );
});
