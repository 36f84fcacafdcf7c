/** No process of the product ends unless the matrix ends it, whatever happens to the others. */
import { type Finding, finding } from './finding.ts';

export interface EndedProcess {
  readonly name: string;
  /** All that it printed, as far as that was kept. */
  readonly log: string;
}

/** The stack of an error that nobody caught is among them. */
const LAST_LINES = 25;

export function checkProcesses(ended: readonly EndedProcess[]): Finding[] {
  return ended.map(({ name, log }) => {
    const lines = log.trimEnd().split('\n').slice(-LAST_LINES);
    return finding('ended_by_itself', '', `${name}; its last words:\n    ${lines.join('\n    ')}`);
  });
}
