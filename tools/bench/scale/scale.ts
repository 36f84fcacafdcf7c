/** `npm run bench -- scale`: docs/scale.md from the measured costs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCosts } from './costs.ts';
import { figuresOf } from './figures.ts';
import { readSimulated, simulateScale, writeSimulated } from './simulate-scale.ts';

const PAGE_PATH = join(import.meta.dirname, '..', '..', '..', 'docs', 'scale.md');

/** @param isWriting whether the page and simulated.json are written. */
export function benchScale(isWriting: boolean): void {
  const costs = readCosts();
  const simulated = simulateScale(costs);
  const figures = figuresOf(costs, simulated);
  for (const [name, text] of Object.entries(figures)) console.log(`\n${name}\n\n${text}`);
  if (!isWriting) return;
  writeSimulated(simulated);
  writeFileSync(PAGE_PATH, withFigures(readFileSync(PAGE_PATH, 'utf8'), figures));
}

/** What the page must be, from the two files of figures as they are. */
export function expectedPage(page: string): string {
  return withFigures(page, figuresOf(readCosts(), readSimulated()));
}

/** Replaces what is between `<!-- figures: name -->` and `<!-- end of figures -->`; each name must occur once. */
export function withFigures(page: string, figures: Readonly<Record<string, string>>): string {
  const unused = new Set(Object.keys(figures));
  const filled = page.replace(
    /(<!-- figures: (\w+) -->\n)[\s\S]*?(<!-- end of figures -->)/g,
    (_all, start: string, name: string, end: string) => {
      const text = figures[name];
      if (text === undefined || !unused.delete(name))
        throw new Error(`the page asks for the figures "${name}"`);
      return `${start}\n${text}\n\n${end}`;
    },
  );
  if (unused.size > 0) throw new Error(`the page has no place for the figures ${[...unused].join(', ')}`);
  return filled;
}
