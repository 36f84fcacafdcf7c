import { describe, expect, test } from '@jest/globals';
import { createVerifier } from '../../../engine/cache/verifier/verify.ts';
import { withoutModel } from './without-model.ts';

const { verify, signatureOf } = createVerifier();

/** No rule finds a difference: the words decide, or a model. */
const meets = (prompt: string, other: string) => {
  expect(verify(prompt, other)).not.toMatchObject({ verdict: 'different' });
  expect(verify(other, prompt)).not.toMatchObject({ verdict: 'different' });
  expect(signatureOf(prompt)).toBe(signatureOf(other));
};
const differs = (kind: string, prompt: string, other: string) => {
  expect(verify(prompt, other)).toMatchObject({ verdict: 'different', difference: { kind } });
  expect(verify(other, prompt)).toMatchObject({ verdict: 'different', difference: { kind } });
};

describe('how something is written is no difference', () => {
  test.each([
    ['typo', 'how do i cancle my subscripton', 'How do I cancel my subscription?'],
    ['typo', 'what is the capitol of austalia', 'What is the capital of Australia?'],
    [
      'abbreviation',
      'whats the number of the HR dept',
      'What is the number of the human resources department?',
    ],
    ['acronym', 'Do I need antibiotics for a UTI?', 'Do I need antibiotics for a urinary tract infection?'],
    ['abbreviation', 'can i get a refund w/o a receipt', 'Can I get a refund without a receipt?'],
    ['abbreviation', 'how do i scale a k8s deployment', 'How do I scale a Kubernetes deployment?'],
    ['abbreviation', 'my appt is in 2 hrs pls help', 'My appointment is in two hours, please help.'],
    [
      'contraction',
      'whats a mortgage and why dont banks like it',
      "What's a mortgage and why don't banks like it?",
    ],
    ['contraction', 'im late, what do i do', "I'm late, what do I do?"],
    [
      'greeting',
      'Good afternoon, could you kindly tell me how to reset my password?',
      'How do I reset my password?',
    ],
    [
      'courtesy',
      'hi there, hope you are well! how do I reset my password? thanks in advance',
      'How do I reset my password?',
    ],
    ['filler', 'um so like how do i reset my password', 'How do I reset my password?'],
    ['spelling', 'What colour is the tyre centre?', 'What color is the tire center?'],
    [
      'number word',
      'Is half a dozen eggs enough for two thousand people?',
      'Are 6 eggs enough for 2k people?',
    ],
    ['number word', 'What happened in nineteen eighty four?', 'What happened in 1984?'],
    ['clock', 'Is the shop open at 5 pm?', 'Is the shop open at 17:00?'],
    ['clock', 'set an alarm for half past six in the morning', 'Set an alarm for 6:30 am.'],
    ['date', 'Is the office open on 3 May 2024?', 'Is the office open on May 3rd, 2024?'],
    ['date', 'Is the office open on 2024-05-03?', 'Is the office open on 3 May 2024?'],
    ['money', 'Can I send $5 abroad?', 'Can I send 5 USD abroad?'],
    ['money', 'Can I send €20 abroad?', 'Can I send 20 euros abroad?'],
    ['percent', 'What is 15% of the total?', 'What is 15 percent of the total?'],
    ['unit', 'How long does a run of 10 km take?', 'How long does a run of 10 kilometres take?'],
    ['duration', 'Is 1.5 h enough for a nap?', 'Is 90 minutes enough for a nap?'],
    ['version', 'what is new in node v20', 'What is new in Node version 20?'],
    ['remark', 'How do I freeze soup (leek and potato)?', 'How do I freeze soup, leek and potato?'],
    ['dashes', 'paris - louvre - how much is a ticket', 'Paris, Louvre: how much is a ticket?'],
    ['mood', 'how do i unlock my card 😭', 'How do I unlock my card?'],
  ])('%s: %s - %s', (_kind, prompt, other) => meets(prompt, other));

  test.each([
    ["I can't find my invoice, where is it?", 'I am unable to find my invoice, where is it?'],
    ['do you deliver on sundays', 'sunday deliveries, yes or no'],
    ['how do i find the cheapest sim', 'In what way can I find the least expensive SIM?'],
  ])('and other words are for the model to judge: %s - %s', meets);
});

describe('a fact that differs rules out the same answer, however the rest is written', () => {
  test.each([
    ['number', 'whats 15% of 80', 'What is fifteen percent of 90?'],
    ['number', 'Good morning, is it ok to take 2 of 12 tablets?', 'is it ok to take two of 15 tablets'],
    ['unit', 'is 5 kg too heavy for hand luggage', 'Is 5 lb too heavy for hand luggage?'],
    ['unit', 'whats the weight in ounces', 'What is the weight in kilograms?'],
    ['date', 'is the museum open on mondays pls', 'Is the museum open on Tuesdays?'],
    ['date', 'Can we meet at 5 pm?', 'Can we meet at 18:00?'],
    ['version', 'whats new in python 3.12', "What's new in Python version 3.11?"],
    ['negation', 'can i fly with a passport', 'can i fly w/o a passport'],
    ['negation', 'Which foods are safe for dogs?', 'Which foods are not safe for dogs?'],
    ['entity', 'hi, cheapest way from Paris to Krakow?', 'cheapest way from Paris to Gdansk'],
    ['language', 'explain list vs tuple in python', 'explain list vs tuple in python, in german please'],
    ['format', 'explain list vs tuple in python', 'explain list vs tuple in python as a markdown table'],
    ['antonym', 'How do I shorten jeans?', 'How do I lengthen jeans?'],
    ['antonym', 'Which phone has the longest battery life?', 'Which phone has the shortest battery life?'],
    ['comparison', 'Which phone has a good screen?', 'Which phone has the brightest screen?'],
    ['comparison', 'is podman a replacement for docker', 'is podman faster than docker'],
    ['question', 'my scones come out flat how do i fix it', 'my scones come out flat why does it happen'],
    ['order', 'Do I wash jeans before I shorten them?', 'Do I wash jeans after I shorten them?'],
    ['condition', 'can i cancel my order', 'can i cancel my order if it has shipped'],
    ['audience', 'explain photosynthesis', 'explain photosynthesis to a beginner'],
    ['quotation', 'What does "see you" mean?', 'What does "see ya" mean?'],
  ])('%s: %s - %s', differs);

  test.each([
    ['a known word is never a typing error of another', 'How do I feed a horse?', 'How do I feed a house?'],
    ['a name is no typing error of another', 'What does Preact do?', 'What does React do?'],
    ['HR is no hour', 'Who is in HR?', 'Who is in an hour?'],
  ])('%s: %s - %s', (_promise, prompt, other) => {
    expect(withoutModel(verify(prompt, other).verdict)).not.toBe('same');
    expect(withoutModel(verify(other, prompt).verdict)).not.toBe('same');
  });
});

describe('no difference is', () => {
  test.each([
    [
      'an indirect question',
      'Is the museum free on Sundays?',
      'Please could you tell me if the museum is free on Sundays?',
    ],
    ['gratitude', 'How do I block a number?', "I'd be grateful if you could show me how to block a number."],
    [
      'an apology',
      'When does the pool close today?',
      'Sorry for this message, I was wondering when the pool closes today. Thanks ever so much indeed.',
    ],
    ['a mistyped auxiliary', 'What should I bring to the clinic?', 'what shoud i bring to the clinic'],
    ['a spelling of chats', 'Which is the cheapest plan?', 'wich is teh cheapest plan'],
  ])('%s: %s - %s', (_what, prompt, other) => {
    expect(verify(prompt, other).verdict).not.toBe('different');
    expect(verify(other, prompt).verdict).not.toBe('different');
  });

  test.each([
    ['a condition', 'Can I cancel my order?', 'Can I cancel my order if it has shipped?'],
    ['a wish for the form', 'How do fuses work?', 'How do fuses work? Write a limerick.'],
  ])('but not %s: %s - %s', (_what, prompt, other) => {
    expect(verify(prompt, other).verdict).toBe('different');
  });
});
