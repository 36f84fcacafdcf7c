/** Bugs of prompt caching: what is sent for it, what stays together, and what it costs. */
import type { Mutant } from '../mutant.ts';

const BREAKPOINTS = 'engine/providers/anthropic-messages/cache-breakpoints.ts';
const BREAKPOINT_TESTS = { tests: ['test/engine/providers/cache-breakpoints.test.ts'] } as const;

export const PROMPT_CACHING_MUTANTS: readonly Mutant[] = [
  {
    name: 'conversation-changes-its-key',
    breaks: 'Each turn of a conversation goes to another key, which has not seen its prompt.',
    file: 'engine/routing/gate-scripts.ts',
    find: 'limits.rank or requests / limits.weight',
    replace: 'requests / limits.weight',
    caughtBy: { tests: ['test/engine/routing/affinity.test.ts'] },
  },
  {
    name: 'conversation-changes-its-model',
    breaks: 'A weighted route draws another model at each turn of a conversation.',
    file: 'engine/routing/decide-route.ts',
    find: 'conversation ?? seed}',
    replace: 'seed}',
    caughtBy: { tests: ['test/engine/routing/decide-route.test.ts'] },
  },
  {
    name: 'tenants-share-a-prompt-key',
    breaks: 'Two tenants with the same words have one key at the vendor.',
    file: 'api/generations/prompt-cache-key.ts',
    find: '  add(tenant);\n',
    replace: '',
    caughtBy: { tests: ['test/api/generations/prompt-cache-key.test.ts'] },
  },
  {
    name: 'billing-line-in-the-prompt',
    breaks: 'Each turn of Claude Code is another prompt to every cache, and goes to another key.',
    file: 'api/wires/anthropic-messages/request.ts',
    find: 'const system = withoutBillingLine(body.system);',
    replace: 'const { system } = body;',
    caughtBy: { tests: ['test/api/wires/billing-line.test.ts'] },
  },
  {
    name: 'mark-of-the-request-at-bedrock',
    breaks: 'Bedrock refuses every request whose client marks it as a whole.',
    file: 'engine/providers/bedrock/index.ts',
    find: 'body: withMarkAtEnd(request.body)',
    replace: 'body: request.body',
    caughtBy: { tests: ['test/engine/providers/refused-fields.test.ts'] },
  },
  {
    name: 'own-marks-beside-the-clients',
    breaks: 'A request whose client has set marks gets ours as well, and is refused for more than four.',
    file: BREAKPOINTS,
    find: ' || cacheMarksOf(input).length > 0',
    replace: '',
    caughtBy: BREAKPOINT_TESTS,
  },
  {
    name: 'continuation-is-marked',
    breaks: 'The turns that ask to continue an answer are written to the cache, and no call ever reads them.',
    file: BREAKPOINTS,
    find: 'body.messages.slice(0, body.messages.length - continued)',
    replace: 'body.messages',
    caughtBy: BREAKPOINT_TESTS,
  },
  {
    name: 'marks-of-chat-clients-lost',
    breaks: 'Claude never sees the marks of a client of chat completions.',
    file: 'engine/providers/native-request.ts',
    find: "format === 'anthropic-messages' ? cacheMarkIn(native?.fields) : undefined",
    replace: 'format === null ? cacheMarkIn(native?.fields) : undefined',
    caughtBy: BREAKPOINT_TESTS,
  },
  {
    name: 'hour-costs-five-minutes',
    breaks: 'What a vendor keeps for an hour is booked at the price of five minutes.',
    file: 'engine/models/price.ts',
    find: 'cache_write_1h_tokens: isPriced ? forHour : 0',
    replace: 'cache_write_1h_tokens: 0',
    caughtBy: { tests: ['test/engine/models/price.test.ts'] },
  },
  {
    name: 'hour-is-not-reserved',
    breaks: 'A call that writes its input for an hour costs more than its budget has reserved.',
    file: 'activities/attempt/worst-case.ts',
    find: '...(forHour ?',
    replace: '...(inputTokens < 0 ?',
    caughtBy: { tests: ['test/activities/attempt/worst-case.test.ts'] },
  },
  {
    name: 'session-is-a-user',
    breaks: 'Each session of a coding agent has its own budget.',
    file: 'api/wires/end-user.ts',
    find: '  if (device !== undefined) return account || device;\n',
    replace: '',
    caughtBy: { tests: ['test/api/wires/end-user.test.ts'] },
  },
];
