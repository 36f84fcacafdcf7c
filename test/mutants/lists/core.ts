/** Bugs of the core: how an attempt goes on from what the attempt before it left. */
import type { Mutant } from '../mutant.ts';

const SIMULATION = { simulation: 20_000 };

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
];
