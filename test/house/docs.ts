/** What a page of Markdown points to. */
import { posix } from 'node:path';

/** The targets of relative links and images, as paths from the root; code is not searched. */
export function relativeLinks(path: string, source: string): string[] {
  const prose = source.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  const inline = [...prose.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)].map(
    ([, target]) => target ?? '',
  );
  const html = [...prose.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, target]) => target ?? '');
  return [...inline, ...html]
    .filter((target) => !/^(?:[a-z]+:|#|\/\/)/i.test(target))
    .map((target) => target.split('#')[0] ?? '')
    .map((target) => posix.normalize(posix.join(posix.dirname(path), target)));
}

/** Names of npm scripts that a page tells its reader to run. */
export function namedScripts(source: string): string[] {
  const run = [...source.matchAll(/\bnpm run ([a-z][\w:-]*)/g)].map(([, name]) => name ?? '');
  const short = [...source.matchAll(/\bnpm (start|test)\b/g)].map(([, name]) => name ?? '');
  return [...new Set([...run, ...short])].sort();
}

/** Commands of the CLI that a page tells its reader to run. */
export function namedCommands(source: string): string[] {
  const names = [...source.matchAll(/\bnpx unbroken ([a-z]+)/g)].map(([, name]) => name ?? '');
  return [...new Set(names)].sort();
}
