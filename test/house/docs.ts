/** What a page of Markdown points to. */
import { posix } from 'node:path';
import { headingAnchor } from '../../tools/docs/heading-anchor.ts';

/** The targets of relative links and images, as paths from the root; code is not searched. */
export function relativeLinks(path: string, source: string): string[] {
  return linkTargets(source)
    .filter((target) => !/^(?:[a-z]+:|#|\/\/)/i.test(target))
    .map((target) => fromRoot(path, target.split('#')[0] ?? ''));
}

/** Links to a heading, of the same page or of another one. */
export function headingLinks(path: string, source: string): { page: string; heading: string }[] {
  return linkTargets(source)
    .filter((target) => target.includes('#') && !/^[a-z]+:/i.test(target))
    .map((target) => {
      const [page = '', heading = ''] = target.split('#');
      return { page: page === '' ? path : fromRoot(path, page), heading };
    });
}

/** The anchors of a page's headings, on GitHub and on the site. */
export function headingAnchors(source: string): string[] {
  return [...withoutBlocks(source).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => headingAnchor(title));
}

function linkTargets(source: string): string[] {
  const prose = withoutBlocks(source).replace(/`[^`\n]*`/g, '');
  const inline = [...prose.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)].map(
    ([, target]) => target ?? '',
  );
  const html = [...prose.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, target]) => target ?? '');
  return [...inline, ...html];
}

function withoutBlocks(source: string): string {
  return source.replace(/^```[\s\S]*?^```/gm, '');
}

function fromRoot(path: string, target: string): string {
  return posix.normalize(posix.join(posix.dirname(path), target));
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
