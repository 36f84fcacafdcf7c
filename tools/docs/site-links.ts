/** Where files of the repository are on the site. */
import { posix } from 'node:path';
import { ALL_PAGES, GENERATED } from './site-map.ts';

const PAGE_OF_SOURCE: ReadonlyMap<string, string> = new Map([
  ...ALL_PAGES.flatMap(({ path, source }) => (source === undefined ? [] : [[source, path] as const])),
  ['unbroken.config.example.yaml', GENERATED.config],
  ['unbroken.config.schema.json', GENERATED.config],
  ['unbroken.pipeline.schema.json', 'jobs'],
  ['docs/errors', GENERATED.errors],
  ['docs/decisions', 'decisions/index'],
]);

/** Where a link of a file of the repository leads on the site; undefined if that is no page. */
export function siteLink(source: string, href: string): string | undefined {
  const [target = '', heading] = href.split('#');
  const fromRoot = posix.join(posix.dirname(source), target).replace(/\/$/, '');
  const page = PAGE_OF_SOURCE.get(fromRoot);
  if (page === undefined) return undefined;
  const path = `/${page.replace(/(^|\/)index$/, '$1')}`;
  return heading === undefined ? path : `${path}#${heading}`;
}
