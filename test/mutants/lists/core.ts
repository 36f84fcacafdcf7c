/** Bugs of the core: how an attempt goes on from what the attempt before it left. */
import type { Mutant } from '../mutant.ts';

const SIMULATION = { simulation: 20_000 };
const ATTEMPTS = 'test/activities/attempts.test.ts';

export const CORE_MUTANTS: readonly Mutant[] = [
  {
    name: 'restart-guard-off',
    breaks: 'An answer that was begun again is appended to the beginning that readers have.',
    file: 'activities/restart-guard.ts',
    find: "let isOpen = deliveredText === '';",
    replace: 'let isOpen = true;',
    caughtBy: { tests: ['test/activities/restart-guard.test.ts'] },
  },
  {
    name: 'checkpoint-of-another-attempt',
    breaks: 'A cursor that an earlier attempt left is taken for that of the attempt that is open.',
    file: 'activities/resume-plan.ts',
    find: 'model === open.model && attempt === open.attempt;',
    replace: 'model === open.model && attempt <= open.attempt;',
    caughtBy: SIMULATION,
  },
  {
    name: 'call-before-it-is-on-record',
    breaks: 'A call leaves that no log knows: after a crash the same attempt is paid twice.',
    file: 'activities/begin-attempt.ts',
    find: `  // On record before the call leaves: a call that the log does not know could be paid without anyone knowing.
  await writer.flush();
`,
    replace: '',
    caughtBy: SIMULATION,
  },
  {
    name: 'reset-owed-by-one-process',
    breaks: 'Half a tool call stays before the whole one, where a restarted response is reattached.',
    file: 'activities/begin-attempt.ts',
    find: '  if (duties.voids) {',
    replace: "  if (duties.voids && resume.strategy === 'reattach') {",
    caughtBy: { tests: [ATTEMPTS] },
  },
  {
    name: 'guard-lost-by-reattach',
    breaks: 'A restarted answer that is reattached is appended to the beginning that readers have.',
    file: 'activities/resume-plan.ts',
    find: 'const begunAs = running?.begunAs ?? resume.strategy;',
    replace: "const begunAs = running === null ? resume.strategy : 'start';",
    caughtBy: { tests: ['test/activities/resume-plan.test.ts'] },
  },
  {
    name: 'json-continued',
    breaks: 'A whole JSON value follows half of one, and the answer is a success.',
    file: 'activities/resume-plan.ts',
    find: 'return output === undefined ? can : { ...can, prefill: false, instruct: false };',
    replace: 'return output === null ? { ...can, prefill: false, instruct: false } : can;',
    caughtBy: { tests: [ATTEMPTS] },
  },
  {
    name: 'unsent-call-billed',
    breaks: 'A generation that is cancelled before its call has left is billed for its input.',
    file: 'activities/stream-from-provider.ts',
    find: '  control.signal.throwIfAborted();\n  progress.mayBeBilled = true;\n',
    replace: '  progress.mayBeBilled = true;\n',
    caughtBy: { tests: [ATTEMPTS] },
  },
  {
    name: 'unknown-response-runs-on',
    breaks: 'A response whose id never reached the log runs to its end, paid and read by nobody.',
    file: 'activities/stream-from-provider.ts',
    find: 'if (!(failure instanceof ApplicationFailure)) await abandonResponse(dependencies, attempt, progress);',
    replace: '',
    caughtBy: { tests: [ATTEMPTS] },
  },
  {
    name: 'continuation-trusted',
    breaks: 'A model that begins its answer again is shown: readers have the opening twice.',
    file: 'activities/continuation-guard.ts',
    find: 'let isOpen = beginning.length < LEAST_GUARDED_CHARS || repeatsItself(beginning);',
    replace: 'let isOpen = beginning.length > 0 || repeatsItself(beginning);',
    caughtBy: { tests: ['test/activities/continuation-guard.test.ts'] },
  },
];
