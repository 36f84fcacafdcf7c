/**
 * Links of the repository's Markdown, on the site. A page is at another path there than its file in the repository, and
 * a file that is no page is named instead of linked.
 */
import { posix } from 'node:path';
import type { MarkdownRenderer } from 'vitepress';
import { siteLink } from './site-links.ts';
import { ALL_PAGES } from './site-map.ts';

type Tokens = ReturnType<MarkdownRenderer['parse']>;

const SOURCE_OF_PAGE: ReadonlyMap<string, string> = new Map(
  ALL_PAGES.flatMap(({ path, source }) => (source === undefined ? [] : [[`${path}.md`, source] as const])),
);

/** Pictures keep their place next to docs/. */
export const PICTURES = 'docs/assets';

export function repositoryLinks(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('repository-links', ({ tokens, env }) => {
    const source = SOURCE_OF_PAGE.get(env.relativePath ?? '');
    if (source === undefined) return;
    for (const { children } of tokens) {
      if (children !== null) rewrite(children, source);
    }
  });
}

/** Vue would take `{{name}}` in a text for an expression. */
export function literalBraces(markdown: MarkdownRenderer): void {
  for (const name of ['text', 'code_inline'] as const) {
    const render = markdown.renderer.rules[name];
    if (render === undefined) throw new Error(`markdown-it has no rule for ${name}`);
    markdown.renderer.rules[name] = (...rest) => `${render(...rest)}`.replaceAll('{{', '&#123;&#123;');
  }
}

function rewrite(tokens: Tokens, source: string): void {
  let unlinked: string | undefined;
  for (const token of tokens) {
    if (token.type === 'image') {
      const picture = token.attrGet('src') ?? '';
      if (!isElsewhere(picture)) {
        token.attrSet(
          'src',
          `/${posix.join(posix.dirname(source), picture)}`.replace(`/${PICTURES}`, '/pictures'),
        );
      }
    } else if (token.type === 'link_open') {
      const href = token.attrGet('href') ?? '';
      if (isElsewhere(href) || href.startsWith('#')) continue;
      const link = siteLink(source, href);
      if (link === undefined) {
        unlinked = posix.join(posix.dirname(source), href);
        Object.assign(token, {
          type: 'in_repository_open',
          tag: 'span',
          attrs: [['title', `${unlinked} in the repository`]],
        });
      } else token.attrSet('href', link);
    } else if (token.type === 'link_close' && unlinked !== undefined) {
      Object.assign(token, { type: 'in_repository_close', tag: 'span' });
      unlinked = undefined;
    }
  }
}

function isElsewhere(href: string): boolean {
  return /^(?:[a-z]+:|\/)/i.test(href);
}
