/** Sentences that are put together, so that a long answer does not repeat itself. */
import type { Chance } from './chance.ts';

const OCCASIONS: readonly string[] = [
  'When a worker is killed between two tokens',
  'If the network fails for half a minute',
  'While a new version rolls through the cluster',
  'When a laptop is closed in the middle of a sentence',
  'After the server of the provider drops a connection',
  'If Redis restarts from its own file',
  'When two processes believe that they own the same run',
  'Whenever a phone changes from one network to another',
  'If an API process runs out of memory',
  'When a provider answers with an error after half of the text',
  'Even if a whole data centre loses power',
  'As soon as a frozen process wakes up again',
  'When a proxy closes an idle connection',
  'If a deployment is rolled back in a hurry',
];

const EFFECTS: readonly string[] = [
  'the log still holds every token that was delivered',
  'the sequence numbers continue without a gap',
  'the next attempt begins where the last one ended',
  'the older attempt can no longer write',
  'the reservation of the budget stays in place',
  'the reader reconnects with the cursor it already has',
  'the workflow starts another attempt on a healthy machine',
  'the order of the queue remains as it was',
  'the run is found again under the same identifier',
  'the epoch decides which of the writers is the current one',
  'the text on the page stays exactly as it was',
  'the retry waits for a moment and then reattaches',
];

const CONSEQUENCES: readonly string[] = [
  'so the reader sees one unbroken text',
  'which is why nothing has to be asked twice',
  'and no token is paid for twice',
  'and the bill agrees with the log',
  'and the reader needs no new request',
  'and nobody has to repair anything by hand',
  'and the run list shows it a moment later',
  'so the answer ends as if nothing had happened',
  'and the trace shows the whole story afterwards',
  'which makes the failure visible but harmless',
  'and the other users notice nothing at all',
];

const PEOPLE: readonly string[] = [
  'Ada',
  'Grace',
  'Alan',
  'Edsger',
  'Barbara',
  'Donald',
  'Radia',
  'Leslie',
  'Margaret',
  'Ken',
  'Frances',
  'Niklaus',
];

const PLACES: readonly string[] = [
  'on a train',
  'in a lift',
  'at an airport',
  'in a tunnel',
  'on a ferry',
  'in a basement',
  'on a mountain',
  'in a café',
];

/** `{n}` is a number of tokens or events, `{next}` the one after it, `{few}` a small number. */
const EXAMPLES: readonly string[] = [
  'Suppose {person} loses the connection {place} at event {n}: the page asks for event {next} and gets it.',
  'Imagine a worker that stops after token {n}; its successor finds {n} tokens in the log and adds token {next}.',
  '{person} closes the laptop {place}, opens it {few} minutes later, and reads on from event {n}.',
  'At token {n} of a long report, {few} workers may be gone, and the report still ends.',
  'A batch that ends at event {n} is stored first and published next, so event {next} can never overtake it.',
  'With {n} cents left in the budget, {person} cannot start a call that might cost more.',
  'In a test with {n} generations, {few} processes were killed at random, and every text was complete.',
  'The trace of generation {n} shows {few} attempts, {few} seconds of waiting and one final event.',
  'When {person} asks the same question {few} times {place}, only one call leaves for the provider.',
  'A history of {few} events is enough for the workflow, while the log of the answer holds {n}.',
  'Of {n} requests in an hour, {few} had to wait, and {person} saw each of them in the list.',
  'Generation {n} was cancelled {place} by {person} after {few} seconds, and only those were billed.',
];

const FIRST_NUMBER = 120;
const NUMBERS = 9_800;
const FEW = 27;

/** One in three is an example with numbers. */
export function weaveSentence(chance: Chance): string {
  if (chance.below(3) === 0) return exampleOf(chance);
  return `${chance.pick(OCCASIONS)}, ${chance.pick(EFFECTS)}, ${chance.pick(CONSEQUENCES)}.`;
}

function exampleOf(chance: Chance): string {
  const number = FIRST_NUMBER + chance.below(NUMBERS);
  return chance
    .pick(EXAMPLES)
    .replaceAll('{n}', number.toLocaleString('en-US'))
    .replaceAll('{next}', (number + 1).toLocaleString('en-US'))
    .replaceAll('{few}', () => String(2 + chance.below(FEW)))
    .replaceAll('{person}', () => chance.pick(PEOPLE))
    .replaceAll('{place}', () => chance.pick(PLACES));
}
