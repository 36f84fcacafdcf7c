/** What a built page may not have: a link into nothing, or anything inline, which the security policy would block. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/** @returns one line for each fault. */
export function faultsOfPages(folder: string, base: string): string[] {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.html'),
  );
  const pages = new Map(paths.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
  const anchors = new Map([...pages].map(([path, html]) => [path, anchorsOf(html)]));
  return [...pages].flatMap(([path, html]) => {
    const here = new URL(base + path, 'http://site');
    const faults = linksOf(html).flatMap((link) => {
      const target = new URL(link, here);
      if (target.origin !== here.origin) return [];
      const file = fileOf(folder, base, target.pathname);
      if (file === undefined) return [`dead link to ${link}`];
      const heading = decodeURIComponent(target.hash.slice(1));
      const isKnown = heading === '' || anchors.get(file)?.has(heading) !== false;
      return isKnown ? [] : [`no heading for ${link}`];
    });
    return [...faults, ...inlineParts(html)].map((fault) => `${path}: ${fault}`);
  });
}

export function inlineParts(html: string): string[] {
  const found = [...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>|<style\b|<[a-z][^>]*?\s(?:style|on\w+)="/g)];
  return found.map(([part]) => `inline: ${part}`);
}

/** The file of a path of the site, as the API looks for it. */
function fileOf(folder: string, base: string, path: string): string | undefined {
  if (!path.startsWith(base)) return undefined;
  const name = path.slice(base.length);
  const candidates = [name, `${name}.html`, posix.join(name, 'index.html')];
  return candidates.find((candidate) => /\.\w+$/.test(candidate) && existsSync(join(folder, candidate)));
}

function linksOf(html: string): string[] {
  return [...html.matchAll(/<[a-z][^>]*?\s(?:href|src)="([^"]*)"/g)].map(([, link = '']) =>
    link.replaceAll('&amp;', '&'),
  );
}

function anchorsOf(html: string): ReadonlySet<string> {
  return new Set([...html.matchAll(/\sid="([^"]+)"/g)].map(([, id = '']) => id));
}
