/** The index of docs/decisions: each page has the next number and one line in README.md, with its title. */

interface DecisionPage {
  /** Its name in docs/decisions. */
  readonly name: string;
  readonly source: string;
}

/** Pages whose number is not the next one: a gap, a number used twice, or a name without a number. */
export function misnumberedDecisions(names: readonly string[]): string[] {
  return [...names]
    .sort()
    .filter((name, index) => !name.startsWith(`${String(index + 1).padStart(4, '0')}-`));
}

/** Lines that the index lacks, and lines that no page stands behind. */
export function indexFaults(index: string, pages: readonly DecisionPage[]): string[] {
  const expected = pages.map(({ name, source }) => `- [${titleOf(source)}](${name})`);
  const listed = index.split('\n').filter((line) => line.startsWith('- '));
  return [
    ...expected.filter((line) => !listed.includes(line)).map((line) => `missing: ${line}`),
    ...listed.filter((line) => !expected.includes(line)).map((line) => `no such page: ${line}`),
  ];
}

/** Pages whose title does not start with the number of their name. */
export function mistitledDecisions(pages: readonly DecisionPage[]): string[] {
  return pages
    .filter(({ name, source }) => !titleOf(source).startsWith(`${name.slice(0, 4)} `))
    .map(({ name }) => name);
}

function titleOf(source: string): string {
  return (source.split('\n')[0] ?? '').replace(/^# /, '');
}
