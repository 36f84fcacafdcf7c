/** What a .dockerignore leaves out, for the forms of patterns that ours has. */
import { matchesGlob } from 'node:path';

/** @returns whether a file of the context is sent to the build. The last pattern that matches decides. */
export function readDockerIgnore(text: string): (path: string) => boolean {
  const rules = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ pattern: line.replace(/^!/, ''), isSent: line.startsWith('!') }));
  return (path) => {
    const parts = path.split('/');
    // A pattern that matches a folder holds for all that is in it.
    const prefixes = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    const last = rules.findLast(({ pattern }) => prefixes.some((prefix) => matchesGlob(prefix, pattern)));
    return last?.isSent ?? true;
  };
}
