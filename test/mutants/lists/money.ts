/** Bugs of what is booked, reserved and shared. */
import type { Mutant } from '../mutant.ts';

const SIMULATION = { simulation: 20_000 };
const SECOND_LIFE = 'test/activities/second-life.test.ts';
const LEDGER = 'test/engine/budget/redis-budget-ledger.test.ts';
const USAGE = 'test/engine/budget/usage.test.ts';

export const MONEY_MUTANTS: readonly Mutant[] = [
  {
    name: 'pictures-at-the-price-of-text',
    breaks: 'A picture that Gemini draws is booked at a twelfth of its price.',
    file: 'engine/models/price.ts',
    find: 'output_image_tokens: usage.outputImageTokens ?? 0,',
    replace: '',
    caughtBy: { tests: ['test/engine/models/price.test.ts'] },
  },
  {
    name: 'refused-calls-cost',
    breaks: 'A call that was refused is booked at the price that its model has for each call.',
    file: 'engine/models/price.ts',
    find: 'if (totalTokens(usage) === 0)',
    replace: 'if (totalTokens(usage) < 0)',
    caughtBy: { tests: ['test/engine/models/price.test.ts'] },
  },
  {
    name: 'old-reservation-never-settled',
    breaks:
      'A reservation of a week ago with a budget by the hour: each try to settle it books it again, and fails.',
    file: 'engine/budget/books-script.ts',
    find: 'while n <= window.last and #fields < MOST_FIELDS do',
    replace: 'while n <= window.last do',
    caughtBy: { tests: ['test/engine/budget/settle.test.ts'] },
  },
  {
    name: 'lost-limits-stay',
    breaks:
      'After a failover that lost a change of limits, processes apply the lost ones for as long as they live.',
    file: 'engine/budget/budget-limits.ts',
    find: "'version', string.format('%.0f', time[1] * 1000000 + time[2])",
    replace: "'version', (redis.call('HGET', KEYS[1], 'version') or 0) + 1",
    caughtBy: { tests: ['test/engine/budget/limits-and-audit.test.ts'] },
  },
  {
    name: 'settle-not-idempotent',
    breaks: 'A settlement that is repeated after a crash books the same generation again.',
    file: 'engine/budget/step-script.ts',
    find: "  if state == 'settled' then return answer({answer = 'settled', warnings = kept[10]",
    replace: "  if false then return answer({answer = 'settled', warnings = kept[10]",
    caughtBy: { tests: ['test/engine/budget/settle.test.ts'] },
  },
  {
    name: 'attempt-charged-twice',
    breaks: 'An attempt that has ended is booked again with every later attempt.',
    file: 'engine/budget/step-script.ts',
    find: 'if ended.attempt > booked then',
    replace: 'if ended.attempt > 0 then',
    caughtBy: { tests: [LEDGER] },
  },
  {
    name: 'usage-of-attempts-not-added',
    breaks: 'The sums of usage lack what a failed attempt has cost.',
    file: 'engine/budget/step-script.ts',
    find: '      addSpent(ended, ended.tokens, ended.costMicroUsd, ended.usage)\n',
    replace: '      added[1] = added[1] + ended.costMicroUsd\n',
    caughtBy: { tests: [USAGE] },
  },
  {
    name: 'usage-beyond-the-limit-lost',
    breaks: 'A user beyond the limit of names of a day is not counted at all.',
    file: 'engine/budget/usage-script.ts',
    find: "      field, packed = other, redis.call('HGET', into.key, other)\n",
    replace: '      return\n',
    caughtBy: { tests: [USAGE] },
  },
  {
    name: 'usage-of-all-users-for-one',
    breaks: 'A user without the scope for it sees the usage of the whole tenant.',
    file: 'api/access/authenticate.ts',
    find: '  }\n  return caller.user;\n',
    replace: '  }\n  return user;\n',
    caughtBy: { tests: ['test/e2e/usage.test.ts', 'test/e2e/cached-entries.test.ts'] },
  },
  {
    name: 'search-lists-a-run-twice',
    breaks: 'A generation that ends between two pages of a search is on both.',
    file: 'api/generations/search-runs.ts',
    find: 'const listed = runs.filter((run) => !wasListed(run, cursor));',
    replace: 'const listed = runs.filter((run) => run.workflowId !== cursor?.token);',
    caughtBy: { tests: ['test/e2e/search.test.ts'] },
  },
  {
    name: 'extension-without-room',
    breaks: 'A retry is made though the budget has no room for it.',
    file: 'engine/budget/step-script.ts',
    find: 'local grants = output >= math.min(ask.minOutputTokens, wish)',
    replace: 'local grants = true',
    caughtBy: { tests: [LEDGER] },
  },
  {
    name: 'share-lost-in-rounding',
    breaks: 'The parts of a shared cost are less than the whole.',
    file: 'contracts/share.ts',
    find: 'const rest = (whole: number) => whole - each(whole) * (by - 1);',
    replace: 'const rest = (whole: number) => each(whole);',
    caughtBy: { tests: ['test/engine/cache/share.test.ts'] },
  },
  {
    name: 'abandoned-call-booked-at-0',
    breaks: 'What a provider made for a process that died is booked to nobody.',
    file: 'activities/attempt/account-attempt.ts',
    find: 'const usage = reported ??',
    replace: 'const usage = reported ?? NO_USAGE ??',
    caughtBy: SIMULATION,
  },
  {
    name: 'close-beside-a-zombie',
    breaks: 'What an attempt appends between the read and the close of its log is booked to nobody.',
    file: 'activities/attempt/take-over.ts',
    find: "log.open(generationId, 'newest')",
    replace:
      'Promise.all([log.head(generationId), log.read(generationId, -1)]).then(([head, events]) => ({ head, events }))',
    caughtBy: SIMULATION,
  },
  {
    name: 'interrupted-attempt-not-closed',
    breaks: 'What the process that died had received is booked to nobody.',
    file: 'activities/attempt/begin-attempt.ts',
    find: 'if (record.openAttempt !== null && resume.strategy !== ',
    replace: 'if (record.openAttempt === undefined && resume.strategy !== ',
    caughtBy: SIMULATION,
  },
  {
    name: 'text-before-the-reattach-not-counted',
    breaks:
      'An attempt that was reattached is billed for what its last process received, and not for the rest.',
    file: 'activities/attempt/attempt.ts',
    find: "this.#ownText = isReattached ? (record.openAttempt?.ownText ?? '') : '';",
    replace: "this.#ownText = '';",
    caughtBy: SIMULATION,
  },
  {
    name: 'follower-ends-without-its-share',
    breaks: 'A follower whose time is up is counted by its leader and pays nothing.',
    file: 'activities/close-generation.ts',
    find: 'await withShare(dependencies, found, { generationId, withinMs: WAIT_FOR_LEADER_MS });',
    replace: 'found;',
    caughtBy: SIMULATION,
  },
  {
    name: 'follower-counted-before-its-note',
    breaks: 'A follower whose process dies at once is counted by its leader, and no log knows that it owes.',
    file: 'activities/follow-leader.ts',
    find: '  await log.writer.flush();\n  return followed;',
    replace: '  return followed;',
    caughtBy: SIMULATION,
  },
  {
    name: 'leaver-counted-by-its-zombie',
    breaks:
      'A process that was given up has its generation counted again, after that has paid nothing and ended.',
    file: 'engine/cache/flight-members.ts',
    find: "if redis.call('HEXISTS', KEYS[1], 'left:' .. ask.generationId) == 1 then return 0 end\n",
    replace: '',
    caughtBy: { tests: ['test/engine/cache/redis-flights.test.ts'] },
  },
  {
    name: 'failed-attempts-shared',
    breaks: "Followers pay for what the leader's failed attempts cost, which the leader has paid already.",
    file: 'activities/attempt/end-attempt.ts',
    find: 'const used = { usage, costMicroUsd: attempt.costOf(usage) };',
    replace:
      'const used = { usage: addUsage(record.usage, usage), costMicroUsd: record.costMicroUsd + attempt.costOf(usage) };',
    caughtBy: SIMULATION,
  },
  {
    name: 'share-changed-by-a-late-attempt',
    breaks: 'An attempt that opens the ended log of a leader takes the shares from its followers.',
    file: 'engine/streaming/log-scripts.ts',
    find: "if status ~= 'running' then return {'open', held} end\n",
    replace: '',
    caughtBy: { tests: ['test/engine/streaming/event-log.test.ts'] },
  },
  {
    name: 'outcome-of-an-earlier-log',
    breaks:
      'An id that is given again has the outcome that a worker remembers of its earlier log: it is billed, and not written.',
    file: 'activities/attempt/unique-log-id.ts',
    find: 'return logCreatedAtMs === undefined ? generationId :',
    replace: 'return logCreatedAtMs !== 0 ? generationId :',
    caughtBy: { tests: [SECOND_LIFE] },
  },
  {
    name: 'members-of-an-earlier-log',
    breaks:
      'Followers of the earlier log of an id are counted among those who pay for the answer of the next.',
    file: 'engine/streaming/log-scripts.ts',
    find: "redis.call('DEL', COMPRESSED, MEMBERS)\n",
    replace: '',
    caughtBy: { tests: ['test/engine/streaming/event-log.test.ts'] },
  },
  {
    name: 'key-again-never-started',
    breaks: 'A key that is sent as its log expires gives a log that no run writes.',
    file: 'api/generations/start-generation.ts',
    find: "const hasEnded = isKnown && known.status !== 'running';",
    replace: "const hasEnded = (isKnown || known !== null) && known?.status !== 'running';",
    caughtBy: { tests: ['test/api/generations/submit-as-log-expires.test.ts'] },
  },
  {
    name: 'settled-before-its-log',
    breaks:
      'An id that is given again when Temporal has forgotten its earlier run is refused by a budget that has room.',
    file: 'activities/reserve-budget.ts',
    find: '  if (againSinceMs !== undefined || logCreatedAtMs === undefined) return againSinceMs;\n',
    replace: '  if (againSinceMs !== undefined || logCreatedAtMs !== 0) return againSinceMs;\n',
    caughtBy: { tests: [SECOND_LIFE] },
  },
  {
    name: 'settled-for-its-successor',
    breaks:
      'What a generation with the id of a settled one has cost is not booked, because it reserved nothing.',
    file: 'engine/budget/step-script.ts',
    find: "local isEarlier = ask.step == 'settle' and state == 'settled' and tonumber",
    replace: "local isEarlier = ask.step == 'reserve' and state == 'settled' and tonumber",
    caughtBy: { tests: ['test/engine/budget/same-id-again.test.ts'] },
  },
  {
    name: 'settled-again-by-a-late-clock',
    breaks: 'A settlement that is repeated by a worker whose clock is behind that of Redis is booked again.',
    file: 'engine/budget/step-script.ts',
    find: "tonumber(kept[2] or '0') < ask.againSinceMs - ask.skewMs\nif isEarlier",
    replace: "tonumber(kept[2] or '0') < ask.againSinceMs\nif isEarlier",
    caughtBy: { tests: ['test/engine/budget/same-id-again.test.ts'] },
  },
  {
    name: 'tier-of-the-project',
    breaks: 'OpenAI bills the tier of its project, and the budget books the usual price: half of it.',
    file: 'engine/providers/standard-tier.ts',
    find: "const KEPT: readonly unknown[] = ['default', 'flex'];",
    replace: "const KEPT: readonly unknown[] = ['default', 'flex', undefined, 'auto'];",
    caughtBy: { tests: ['test/engine/providers/standard-tier.test.ts'] },
  },
];
