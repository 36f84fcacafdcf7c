import { findOnPath } from './programs/executables.js';

/** On Linux the kernel ends the child when this process is killed so hard that it cannot do so itself. */
export function tiedToParent(command: string, args: readonly string[]): [string, string[]] {
  const setpriv = process.platform === 'linux' ? findOnPath('setpriv') : undefined;
  if (setpriv === undefined) return [command, [...args]];
  return [setpriv, ['--pdeathsig', 'TERM', command, ...args]];
}
