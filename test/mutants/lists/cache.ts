/** Bugs of the answer cache: whose question gets which answer. */
import type { Mutant } from '../mutant.ts';

const COMPLAINTS = 'test/engine/cache/complaints.test.ts';
const CONVERSATIONS = 'test/engine/cache/conversations.test.ts';
const LANGUAGES = 'test/engine/cache/languages.test.ts';

export const CACHE_MUTANTS: readonly Mutant[] = [
  {
    name: 'complaint-counts-twice',
    breaks: 'Feedback that is sent again raises the bar of the entry once more.',
    file: 'engine/cache/complaint-scripts.ts',
    find: "if redis.call('HEXISTS', KEYS[2], ask.generationId) == 1 then return {'known'} end",
    replace: '',
    caughtBy: { tests: [COMPLAINTS] },
  },
  {
    name: 'quarantine-by-words-alone',
    breaks: 'A question in other words than the quarantined one gets the wrong answer again.',
    file: 'engine/cache/objections.ts',
    find: 'return mayAskTheSame({ ...reader, acceptedFalseHits: WIDE }, questions, complained);',
    replace: 'return false;',
    caughtBy: { tests: [COMPLAINTS] },
  },
  {
    name: 'bar-not-raised',
    breaks: 'An entry is found by other words however many readers complained about it.',
    file: 'engine/cache/complaints.ts',
    find: 'if (complaints >= LIMITS.complaintsToSameWords) return Number.POSITIVE_INFINITY;',
    replace: '',
    caughtBy: { tests: [COMPLAINTS] },
  },
  {
    name: 'flight-ignores-complaints',
    breaks: 'A quarantined question follows the other one while that is being answered.',
    file: 'engine/cache/redis-flights.ts',
    find: 'withoutQuarantined(this.#verifier, question, accepted, { acceptedFalseHits, complaints })',
    replace:
      'withoutQuarantined(this.#verifier, question, accepted, { acceptedFalseHits, complaints: new Map() })',
    caughtBy: { tests: ['test/engine/cache/redis-flights.test.ts'] },
  },
  {
    name: 'complaint-outlives-its-user',
    breaks: 'The question of a deleted user stays in a complaint.',
    file: 'engine/cache/redis-complaints.ts',
    find: 'complaint.user === user || complaint.owner === user',
    replace: 'complaint.owner === user',
    caughtBy: { tests: [COMPLAINTS] },
  },
  {
    name: 'aligned-without-the-model',
    breaks: 'What the rules align is a hit although the model has not read it.',
    file: 'engine/cache/read-open.ts',
    find: "withoutModel(ruling === 'aligned' ? 'unsure' : ruling)",
    replace: 'withoutModel(ruling)',
    caughtBy: { tests: ['test/engine/cache/pair-model.test.ts'] },
  },
  {
    name: 'wrong-answers-as-if-alone',
    breaks: 'Wrong answers that come together count as independent: the guarantee promises too much.',
    file: 'tools/cache-verifier/rates.ts',
    find: 'wilson({ hits: share.hits / effect, of: share.of / effect })',
    replace: 'wilson(share)',
    caughtBy: { tests: ['test/tools/cache-verifier/rates.test.ts'] },
  },
  {
    name: 'second-of-two-in-another-order',
    breaks: '"The second one" is answered as in a conversation that named the two in another order.',
    file: 'engine/cache/verifier/compare-conversations.ts',
    find: 'return !isByOrder || haveSameWords(',
    replace: 'return true || haveSameWords(',
    caughtBy: { tests: [CONVERSATIONS] },
  },
  {
    name: 'reference-to-nothing-is-compared',
    breaks: '"Cancel it" without a conversation gets the answer to other such words.',
    file: 'engine/cache/verifier/compare-conversations.ts',
    find: 'quotesConversation(text) || (turn === 0 && refersToNothing(text))',
    replace: 'quotesConversation(text)',
    caughtBy: { tests: [CONVERSATIONS] },
  },
  {
    name: 'other-language-reaches-the-rules',
    breaks: 'Rules of English read a prompt in another language, and miss its negation.',
    file: 'engine/cache/verifier/compare-conversations.ts',
    find: 'if (!isEnglish(verifier, questions) || !isEnglish(verifier, theirs)) {',
    replace: 'if (questions.length === 0) {',
    caughtBy: { tests: [LANGUAGES] },
  },
  {
    name: 'foreign-text-not-compared',
    breaks: 'An English prompt about a French text gets the answer about another one.',
    file: 'engine/cache/verifier/compare-conversations.ts',
    find: "if (foreignIn(question) !== foreignIn(other)) return 'different';",
    replace: '',
    caughtBy: { tests: [LANGUAGES] },
  },
  {
    name: 'key-of-another-encoding',
    breaks: 'The same words with decomposed letters are another question.',
    file: 'engine/cache/same-words.ts',
    find: ".normalize('NFC').replace(OUTER_SPACE, '')",
    replace: ".replace(OUTER_SPACE, '')",
    caughtBy: { tests: ['test/engine/cache/same-words.test.ts'] },
  },
  {
    name: 'wrong-json-from-the-cache',
    breaks: 'An answer that does not fit the schema is stored, and given to the next caller.',
    file: 'activities/look-up-cache.ts',
    find: "if (outputCheck !== undefined) return (await outputs.check(tenant, output, text)).result === 'fits';",
    replace: '',
    caughtBy: { tests: ['test/activities/look-up-cache.test.ts'] },
  },
  {
    name: 'early-asker-leads-again',
    breaks: 'A question that was looked up a moment before its answer was stored is paid again.',
    file: 'engine/cache/flight-scripts.ts',
    find: ' and ask.askedAtMs >= tonumber(storedAt)',
    replace: '',
    caughtBy: { tests: ['test/engine/cache/redis-flights.test.ts'] },
  },
];
