import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** Only what is wrong leaves the page: all that axe returns is megabytes. */
const RUN = `${axe.source};
axe.run({ resultTypes: ['violations'] }).then(({ violations }) =>
  violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 200)).join(' ')))`;

/** What axe finds on a page, as `rule: elements`. */
export function barriersOf(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(RUN);
}
