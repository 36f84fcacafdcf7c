/** Bugs of how answers are read that are not quite of their format, and of what clients read of ours. */
import type { Mutant } from '../mutant.ts';

const TESTS = { tests: ['test/engine/providers/odd-answers.test.ts'] } as const;
const CLIENT_TESTS = { tests: ['test/api/wires/anthropic-clients.test.ts'] } as const;

export const ODD_ANSWER_MUTANTS: readonly Mutant[] = [
  {
    name: 'whole-answer-is-cut',
    breaks: 'A server that answers whole, although a stream was requested, is called and paid three times.',
    file: 'engine/providers/server-events.ts',
    find: 'if (statusOfErrorBody(data) === null) yield { event: undefined, data };',
    replace: '',
    caughtBy: TESTS,
  },
  {
    name: 'arguments-repeated',
    breaks: 'Arguments that a server sends again are in the call twice.',
    file: 'engine/providers/openai-chat/tool-call-places.ts',
    find: 'if (delta.startsWith(written)) return delta.slice(written.length);',
    replace: '',
    caughtBy: TESTS,
  },
  {
    name: 'call-without-name-yet-is-malformed',
    breaks: 'A call whose name comes behind its first arguments is lost.',
    file: 'engine/providers/openai-chat/tool-call-places.ts',
    find: '} else if (name !== undefined) {',
    replace: '} else {',
    caughtBy: TESTS,
  },
  {
    name: 'call-id-twice',
    breaks: 'Two calls of a conversation have the same id, which the next vendor refuses.',
    file: 'engine/providers/answer-state.ts',
    find: 'this.#callIds ??= new Set(callIdsIn(this.#messages));',
    replace: 'this.#callIds ??= new Set();',
    caughtBy: TESTS,
  },
  {
    name: 'reason-of-calls-without-any',
    breaks: 'An agent waits for the calls of an answer that has none.',
    file: 'engine/providers/answer-state.ts',
    find: "reason === 'tool-calls' && this.#toolCalls.size === 0 ? 'stop' : reason",
    replace: 'reason',
    caughtBy: TESTS,
  },
  {
    name: 'cut-answer-is-whole',
    breaks: 'A server that sends an empty reason in each chunk is cut, and its answer counts as whole.',
    file: 'engine/providers/openai-chat/stream.ts',
    find: "=== '' || ",
    replace: "=== '-' || ",
    caughtBy: TESTS,
  },
  {
    name: 'arguments-of-the-end-lost',
    breaks: 'A server of Responses that sends no deltas calls tools without arguments.',
    file: 'engine/providers/openai-responses/position.ts',
    find: "toolCall?.argumentsChars !== 0 || typeof whole !== 'string'",
    replace: "toolCall === undefined || whole !== ''",
    caughtBy: TESTS,
  },
  {
    name: 'page-is-a-cut-stream',
    breaks: 'A wrong base URL looks like a connection that breaks.',
    file: 'engine/providers/http-link.ts',
    find: "throw new UnbrokenError('provider_connect_failed', WEB_PAGE);",
    replace: "return { response: answer, errorBody: '' };",
    caughtBy: TESTS,
  },
  {
    name: 'error-in-stream-unseen',
    breaks: 'The words of an error in a stream are lost, and the call is repeated in vain.',
    file: 'engine/providers/vendor-error.ts',
    find: 'return isError ? fields : null;',
    replace: 'return null;',
    caughtBy: TESTS,
  },
  {
    name: 'broken-call-is-an-answer',
    breaks:
      'A piece of a call that Gemini could not write is the answer, where its reason comes by another format.',
    file: 'engine/providers/openai-chat/stream.ts',
    find: 'reasons.length > 1 && BROKEN_CALL.test(reasons)',
    replace: 'reasons.length > 1_000',
    caughtBy: TESTS,
  },
  {
    name: 'message-starts-with-no-input',
    breaks: 'Clients that read the tokens of the input at the start of a message see none.',
    file: 'api/wires/anthropic-messages/project.ts',
    find: 'this.#usage = { ...NO_USAGE, inputTokens: roughInputTokens };',
    replace: 'this.#usage = NO_USAGE;',
    caughtBy: CLIENT_TESTS,
  },
  {
    name: 'too-long-in-other-words',
    breaks: "Anthropic's agents do not compact a conversation that another vendor finds too long.",
    file: 'api/wires/anthropic-messages/errors.ts',
    find: "if (code !== 'context_length_exceeded' || message",
    replace: "if (code !== 'internal' || message",
    caughtBy: CLIENT_TESTS,
  },
];
