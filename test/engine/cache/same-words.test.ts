import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalText, hasSameWords } from '../../../engine/cache/same-words.ts';

describe('the canonical text', () => {
  test.each([
    ['NFC', 'Wie schreibt man Gru\u0308\u00dfe?', 'Wie schreibt man Gr\u00fc\u00dfe?'],
    ['Hangul', '\u1112\u1161\u11ab\u1100\u116e\u11a8\uc758 \uc218\ub3c4\ub294?', '한국의 수도는?'],
    ['white space around', '\n  Why? \u3000', 'Why?'],
    ['line ends', 'a\r\nb\rc', 'a\nb\nc'],
  ])('is one for two ways of writing: %s', (_, text, canonical) => {
    expect(canonicalText(text)).toBe(canonical);
  });

  test.each([
    'How many code points has e\u0301?',
    'Is e\u0301 in NFC? ',
    'How many bytes of UTF-8 is e\u0301?',
    'Remove the trailing space: a ',
  ])('of a question about characters is the text: %s', (text) => {
    expect(canonicalText(text)).toBe(text);
  });

  test('keeps white space inside, which may be code, and invisible characters', () => {
    for (const text of ['if a:\n\tb', 'a  b', 'a\u200bb', '\ufeffa']) expect(canonicalText(text)).toBe(text);
  });

  test('is its own canonical text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        (text) => canonicalText(canonicalText(text)) === canonicalText(text),
      ),
    );
  });
});

describe('the same words', () => {
  test.each([
    ['Wo ist der Bahnhof?', 'wo ist der bahnhof?'],
    ['Wo ist  der Bahnhof?', 'Wo ist der Bahnhof?'],
    ['Erkläre mir Photosynthese.', 'Erkläre mir Photosynthese'],
    ['¿Cómo cambio mi contraseña?', 'cómo cambio mi contraseña?'],
    ['パスワードを変更するには?', 'パスワードを変更するには？'],
    ['怎么取消订单。', '怎么取消订单'],
    ['Como faço para cancelar\u3000o plano?', 'como faço para cancelar o plano?'],
  ])('%s - %s', (text, other) => {
    expect(hasSameWords(text, other)).toBe(true);
    expect(hasSameWords(other, text)).toBe(true);
  });

  test.each([
    ['a question and a statement', 'Du hast recht.', 'Du hast recht?'],
    ['a missing mark', 'Puedo ir', '¿Puedo ir?'],
    ['an accent', 'Quiero mas', 'Quiero más'],
    ['capitals that differ while both writers use them', 'Der Gefangene floh.', 'Der gefangene Floh.'],
    ['an abbreviation', 'was macht das us?', 'Was macht das US?'],
    ['a unit', 'Wie viel sind 5 mW?', 'Wie viel sind 5 MW?'],
    ['a unit in lower case', 'wie viel sind 5 Mw?', 'wie viel sind 5 mw?'],
    ['letters of Turkish', 'ISI nedir?', 'isi nedir?'],
    ['a line', 'Ordne:\na b', 'Ordne: a b'],
    ['spaces in code', 'Was macht `a  b`?', 'Was macht `a b`?'],
    ['an ordinal', 'Wer war Karl der 3.', 'Wer war Karl der 3'],
    ['a digit of another width', '１は何?', '1は何?'],
    ['an invisible character', 'Was ist das?', 'Was ist\u200b das?'],
  ])('are not those with another meaning: %s', (_, text, other) => {
    expect(hasSameWords(text, other)).toBe(false);
    expect(hasSameWords(other, text)).toBe(false);
  });
});
