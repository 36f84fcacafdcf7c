import { describe, expect, test } from '@jest/globals';
import { createVerifier } from '../../../engine/cache/verifier/verify.ts';
import { verdictOf } from './without-model.ts';

const verifier = createVerifier();
const { signatureOf } = verifier;
/** As the cache does: written alike first. */
const verify = (prompt: string, other: string) => verifier.verify(...verifier.writeAlike(prompt, other));

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
    ['typo', 'explane the ofside rule to a begginer', 'Explain the offside rule to a beginner.'],
    ['typo of a day', 'is the libary open on mondya', 'Is the library open on Monday?'],
    ['by ear', 'who fotographed the inflashun protests', 'Who photographed the inflation protests?'],
    ['vowels left out', 'frm which age can kids vst the msm', 'From which age can kids visit the museum?'],
    ['a text message', 'hw 2 mute a group chat 4 a week', 'How to mute a group chat for a week?'],
    ['a text message', 'wats the dose 4 my dog', "What's the dose for my dog?"],
    ['a compound', 'is the dead line for flat mates binding', 'Is the deadline for flatmates binding?'],
    ['taken for another', 'is tea cheaper then coffee', 'Is tea cheaper than coffee?'],
    ['dots', 'do i need a doctor for a u.t.i.', 'Do I need a doctor for a UTI?'],
    ['a sign', 'fastest bus oslo > bergen', 'fastest bus Oslo to Bergen'],
    ['a sign', 'what is 450 + 20% tax', 'What is 450 plus 20% tax?'],
    [
      'thanks after a quotation',
      'translate "see you soon" into French thank you',
      'Translate "see you soon" into French.',
    ],
    ['an indirect question', 'may i ask if the pool is open today', 'Is the pool open today?'],
    [
      'a condition that is stated',
      'i live in canada, do i pay duty on books',
      'Do I pay duty on books if I live in Canada?',
    ],
    ['a word of scope', 'does every phone have it', 'do all phones have it'],
    ['a phrase in front', 'In Excel, how do I hide empty rows?', 'How do I hide empty rows in Excel?'],
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
    ['a short form of another word', 'what shld i bring', "what shouldn't i bring"],
    ['a short form of another word', 'what shuld i bring', 'what shouldnt i bring'],
    [
      'a name with a letter exchanged',
      'what do i need for the anmeldung',
      'what do i need for the abmeldung',
    ],
    ['letters with a sign between them', 'How do I reverse a list?', 'How d-o I reverse a list?'],
    ['an order of letters', 'list my plants a-z', 'list my plants z-a'],
    ['a name of three letters', 'what does iso need', 'what does is need'],
    ['a digit that is a number', 'add 2 eggs to it', 'add eggs to it'],
    ['a spelling that is asked about', 'is definately spelled right', 'is definitely spelled right'],
    ['a letter with a mark', 'what does sí mean here', 'what does si mean here'],
    ['a quotation', 'translate "the meetng"', 'translate "the meeting"'],
    ['two that have changed places', 'does anna owe bob money', 'does bob owe anna money'],
    ['up is not down', 'how do i turn the volume up', 'how do i turn the volume down'],
  ])('%s: %s - %s', (_promise, prompt, other) => {
    expect(verdictOf(verifier, prompt, other)).not.toBe('same');
    expect(verdictOf(verifier, other, prompt)).not.toBe('same');
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
