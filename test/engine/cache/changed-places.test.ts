/** What has changed places, and words that are the same in another form. */
import { describe, expect, test } from '@jest/globals';
import { createVerifier } from '../../../engine/cache/verifier/verify.ts';

const { verify } = createVerifier();

describe('the verifier', () => {
  test.each([
    [
      'order',
      'Plan a talk: open with a joke, close with numbers.',
      'For a talk: numbers first, end on a joke.',
    ],
    ['order', 'Agenda, please: budget, then hiring, then rooms.', 'agenda: rooms > hiring > budget'],
    ['order', 'Do I salt the water before I add the eggs?', 'Should I add the eggs before the salt goes in?'],
    ['roles', 'How do I turn wav files into mp3 in bash?', 'bash: turn mp3 files into wav, please'],
    ['roles', 'Delete old photos and keep new ones: how?', 'How do I delete new photos, keeping old ones?'],
    ['roles', 'What is 9 / 4 in Go?', 'What is 4 / 9 in Go?'],
    ['roles', 'Sum column A where column C is 1.', 'Sum column C where column A is 1.'],
    ['unit', 'Braking distance of a van at 15 m/s?', 'Braking distance of a van at 15 km/h?'],
    ['unit', 'Is 90 °F too warm for a cellar?', 'Is 90 °C too warm for a cellar?'],
    ['unit', 'Taxes on 40 euros an hour', 'Taxes on 40 euros a day'],
    ['unit', 'Is 5.5 mmol/l of glucose high?', 'Is 5.5 mg/dl of glucose high?'],
  ])('tells a difference of %s: %s - %s', (kind, prompt, other) => {
    expect(verify(prompt, other)).toMatchObject({ verdict: 'different', difference: { kind } });
    expect(verify(other, prompt)).toMatchObject({ verdict: 'different', difference: { kind } });
  });

  test.each([
    ['Is oak harder then pine for a bench?', 'For a bench, is pine softer then oak?'],
    ['Do I prime before I sand or after?', 'Sand or prime: is priming done before or after sanding?'],
    [
      'When a firm lends a van to a driver, who insures?',
      'Who insures when a driver is lent a van by a firm?',
    ],
    ['Can I charge 3 euros per head and day?', 'May I charge €3 a head each day?'],
    ['Can I put Office on a second laptop?', 'Is it fine to put Office on a 2nd laptop?'],
  ])('finds no difference in what is moved or written in another way: %s - %s', (prompt, other) => {
    expect(verify(prompt, other).verdict).not.toBe('different');
  });

  test.each([
    ['My aunt owes 50 euros. Which form?', 'My aunt is owed 50 euros. Which form?'],
    ['Can my tenant use the garage?', "Can I use my tenant's garage?"],
    ['Cheap trains Vienna May', 'Cheap trains from Vienna May'],
    ['Tell him we will pay on Friday', 'Tell him we paid on Friday'],
  ])('does not take aligned words for proof where their form differs: %s - %s', (prompt, other) => {
    expect(['unsure', 'different']).toContain(verify(prompt, other).verdict);
  });
});
