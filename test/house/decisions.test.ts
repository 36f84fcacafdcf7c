import { describe, expect, test } from '@jest/globals';
import { indexFaults, misnumberedDecisions, mistitledDecisions } from './decisions.ts';
import { projectFiles, readProjectFile } from './project-files.ts';

const FOLDER = 'docs/decisions/';

const pages = projectFiles('.md')
  .filter((path) => path.startsWith(FOLDER) && path !== `${FOLDER}README.md`)
  .map((path) => ({ name: path.slice(FOLDER.length), source: readProjectFile(path) }));

describe('the decisions', () => {
  test('are numbered from 0001 without a gap', () => {
    expect(pages.length).toBeGreaterThan(10);
    expect(misnumberedDecisions(pages.map(({ name }) => name))).toEqual([]);
  });

  test('have their number in their title', () => {
    expect(mistitledDecisions(pages)).toEqual([]);
  });

  test('each have one line in the index, with their title', () => {
    expect(indexFaults(readProjectFile(`${FOLDER}README.md`), pages)).toEqual([]);
  });

  test('exist where code or a page names one by number', () => {
    const numbers = new Set(pages.map(({ name }) => name.slice(0, 4)));
    const dead = projectFiles('.ts', '.tsx', '.md', '.yaml', '.yml')
      .filter((path) => path !== 'test/house/decisions.test.ts')
      .flatMap((path) =>
        [...readProjectFile(path).matchAll(/\bdecisions?[ /](\d{4})\b/gi)]
          .filter(([, number = '']) => !numbers.has(number))
          .map(([text]) => `${path}: ${text}`),
      );
    expect(dead).toEqual([]);
  });
});

describe('the checks can fail', () => {
  const page = { name: '0001-a.md', source: '# 0001 A\n\nText.\n' };

  test('on a gap, a repeated number and a name without one', () => {
    expect(misnumberedDecisions(['0001-a.md', '0003-b.md'])).toEqual(['0003-b.md']);
    expect(misnumberedDecisions(['0001-a.md', '0001-b.md'])).toEqual(['0001-b.md']);
    expect(misnumberedDecisions(['a.md'])).toEqual(['a.md']);
  });

  test('on a title with another number', () => {
    expect(mistitledDecisions([page, { name: '0002-b.md', source: '# 0003 B\n' }])).toEqual(['0002-b.md']);
  });

  test('on a page that the index lacks, and a line without a page', () => {
    expect(indexFaults('- [0001 A](0001-a.md)\n', [page])).toEqual([]);
    expect(indexFaults('', [page])).toEqual(['missing: - [0001 A](0001-a.md)']);
    expect(indexFaults('- [0002 B](0002-b.md)\n', [])).toEqual(['no such page: - [0002 B](0002-b.md)']);
  });
});
