/** Bugs of what models of a vendor receive that take less than the others, and of what is sent once more. */
import type { Mutant } from '../mutant.ts';

const RULES = { tests: ['test/engine/providers/vendor-rules.test.ts'] } as const;
const SERVERS = { tests: ['test/engine/providers/chat-vendors.test.ts'] } as const;

export const MODEL_MUTANTS: readonly Mutant[] = [
  {
    name: 'own-late-system-at-any-model',
    breaks:
      'An older Claude refuses each request of Claude Code, which has a system message among its turns.',
    file: 'engine/providers/anthropic-messages/late-system.ts',
    find: '!(isSupported && isOfFormat(message))',
    replace: '!isOfFormat(message)',
    caughtBy: { tests: ['test/engine/providers/late-system.test.ts'] },
  },
  {
    name: 'picture-of-a-failed-tool',
    breaks: 'Anthropic refuses a conversation in which a tool has failed with a picture.',
    file: 'engine/providers/anthropic-messages/request.ts',
    find: 'isError === true && !hasMedia',
    replace: 'isError === true',
    caughtBy: RULES,
  },
  {
    name: 'schema-is-too-much-to-serve',
    breaks: 'Gemini refuses a request for the bounds in its schemas, and says nothing of them.',
    file: 'engine/providers/google/index.ts',
    find: '(refusesSchema(error) ? withoutBounds(request) : null)',
    replace: 'null',
    caughtBy: { tests: ['test/engine/providers/refused-schemas.test.ts'] },
  },
  {
    name: 'forced-tool-at-a-model-that-thinks',
    breaks: 'DeepSeek and Kimi refuse every request that forces a tool.',
    file: 'engine/providers/openai-chat/stream.ts',
    find: 'withForcedTool(error, request, quirks) ?? ',
    replace: '',
    caughtBy: SERVERS,
  },
  {
    name: 'effort-as-a-switch',
    breaks: 'Kimi K3 thinks the most, whatever effort is asked for.',
    file: 'engine/providers/openai-chat/request.ts',
    find: 'isSwitched && !hasEffortAlone(model)',
    replace: 'isSwitched',
    caughtBy: { tests: ['test/engine/providers/reasoning.test.ts'] },
  },
  {
    name: 'picture-beside-its-response',
    breaks: 'Gemini 3 does not learn which of its calls has brought a picture.',
    file: 'engine/providers/google/request.ts',
    find: '!IS_THIRD.test(model) || (',
    replace: 'IS_THIRD.test(model) || (',
    caughtBy: { tests: ['test/engine/providers/google-requests.test.ts'] },
  },
  {
    name: 'gemma-has-three-levels',
    breaks: 'Gemma 4 refuses a request that says how much it may think.',
    file: 'engine/providers/google/thinking.ts',
    find: 'if (IS_GEMMA.test(model)) {',
    replace: "if (IS_GEMMA.test('')) {",
    caughtBy: { tests: ['test/engine/providers/google-requests.test.ts'] },
  },
  {
    name: 'thoughts-behind-words',
    breaks: 'Claude refuses a conversation for good in which the words of a turn stand before its thoughts.',
    file: 'engine/providers/anthropic-messages/refused-thoughts.ts',
    find: '(?:expected|first block must be)',
    replace: '(?:not expected)',
    caughtBy: { tests: ['test/engine/providers/refused-thoughts.test.ts'] },
  },
  {
    name: 'effort-lost-at-mistral',
    breaks: "Mistral's models that can think do not, whatever effort is asked for.",
    file: 'engine/models/rules/effort.ts',
    find: 'OF_MISTRAL.test(model) && !MISTRAL_WITH_EFFORT.test(model)',
    replace: 'OF_MISTRAL.test(model)',
    caughtBy: SERVERS,
  },
  {
    name: 'low-effort-is-none',
    breaks: 'A model that has only a high effort does not think at all where a low one is asked for.',
    file: 'engine/models/reasoning-efforts.ts',
    find: "!thinks || own !== 'none'",
    replace: 'thinks || true',
    caughtBy: { tests: ['test/engine/providers/reasoning.test.ts'] },
  },
  {
    name: 'cap-of-another-vendor',
    breaks: 'An agent that asks for much cannot use a model of which nothing is known here.',
    file: 'engine/providers/refused-cap.ts',
    find: 'most > 0 && most < cap ? most : null',
    replace: 'most < 0 ? most : null',
    caughtBy: { tests: ['test/engine/providers/refused-cap.test.ts'] },
  },
  {
    name: 'grammar-too-large',
    breaks: "An agent with more than twenty strict tools, as OpenAI's clients make them, cannot use Claude.",
    file: 'engine/providers/anthropic-messages/stream.ts',
    find: 'withoutGrammar(words, request.body) ??',
    replace: '',
    caughtBy: { tests: ['test/engine/providers/refused-grammar.test.ts'] },
  },
  {
    name: 'strict-tool-with-bounds',
    breaks: 'Claude refuses every request with a strict tool that has a bound.',
    file: 'engine/models/rules/anthropic-schema.ts',
    find: 'isTaken || anthropicSchemaFault(schema) !== null',
    replace: 'isTaken || true',
    caughtBy: RULES,
  },
];
