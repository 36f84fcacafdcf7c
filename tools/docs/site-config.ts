/** How VitePress builds the site. Nothing in a page is inline or from another host. */
import { type DefaultTheme, defineConfig, type UserConfig } from 'vitepress';
import { ExternalParts } from './external-parts.ts';
import { headingAnchor } from './heading-anchor.ts';
import { literalBraces, repositoryLinks } from './repository-links.ts';
import { SITE } from './site-map.ts';

export function siteConfig(): UserConfig<DefaultTheme.Config> {
  const externalParts = new ExternalParts();
  return defineConfig({
    title: 'Unbroken',
    description: 'A durable backend for LLM generations',
    lang: 'en',
    base: '/docs/',
    cleanUrls: true,
    head: [['link', { rel: 'icon', type: 'image/svg+xml', href: '/docs/mark.svg' }]],
    // It would insert a style into the page.
    appearance: { disableTransition: false },
    transformHtml: (html, _id, context) => externalParts.transformHtml(html, context),
    markdown: {
      codeTransformers: [externalParts.codeTransformer],
      anchor: { slugify: headingAnchor },
      config: (markdown) => {
        repositoryLinks(markdown);
        literalBraces(markdown);
      },
    },
    themeConfig: {
      search: { provider: 'local' },
      outline: 'deep',
      nav: [
        { text: 'HTTP API', link: '/http-api' },
        { text: 'Configuration', link: '/configuration' },
        { text: 'Error codes', link: '/errors/' },
      ],
      sidebar: SITE.map(({ title, pages, isCollapsed }) => ({
        text: title,
        ...(isCollapsed === true ? { collapsed: true } : {}),
        items: pages.map((page) => ({
          text: page.title,
          link: `/${page.path.replace(/(^|\/)index$/, '$1')}`,
        })),
      })),
    },
    vite: { build: { assetsInlineLimit: 0 }, envDir: false, logLevel: 'warn' },
  });
}
