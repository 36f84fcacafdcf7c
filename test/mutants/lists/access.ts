/** Bugs of who may see or do what. */
import type { Mutant } from '../mutant.ts';

export const ACCESS_MUTANTS: readonly Mutant[] = [
  {
    name: 'ticket-used-twice',
    breaks: 'The ticket in a URL of a log file opens a stream again.',
    file: 'api/tickets.ts',
    find: 'if (stored.lastAt === undefined && (await redis.del(keyOf(ticket))) === 0) return null;',
    replace: '',
    caughtBy: { tests: ['test/api/tickets.test.ts'] },
  },
  {
    name: 'ticket-with-power-over-keys',
    breaks: 'A URL carries the power to make keys.',
    file: 'api/tickets.ts',
    find: 'caller.scopes.filter((scope) => STREAM_SCOPES.has(scope))',
    replace: 'caller.scopes.filter(() => true)',
    caughtBy: { tests: ['test/api/tickets.test.ts'] },
  },
  {
    name: 'answers-shared-between-tenants',
    breaks: 'A tenant gets what the cache holds for another.',
    file: 'cache/cache-key.ts',
    find: 'return onlyUser === null ? tenant : [tenant, onlyUser];',
    replace: "return onlyUser === null ? '' : ['', onlyUser];",
    caughtBy: { tests: ['test/cache/cache-key.test.ts'] },
  },
  {
    name: 'answers-shared-between-users',
    breaks: 'A user gets what the cache holds for another, though the config shares nothing.',
    file: 'cache/cache-key.ts',
    find: 'return onlyUser === null ? tenant : [tenant, onlyUser];',
    replace: 'return tenant;',
    caughtBy: { tests: ['test/cache/cache-key.test.ts'] },
  },
  {
    name: 'payloads-in-plain-text',
    breaks: 'With encryption on, Temporal stores what callers have written.',
    file: 'encryption/payload-codec.ts',
    find: 'encode: async (payloads) => payloads.map(encode),',
    replace: 'encode: async (payloads) => payloads,',
    caughtBy: { tests: ['test/encryption/payload-codec.test.ts'] },
  },
];
