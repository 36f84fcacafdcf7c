import { describe, expect, test } from '@jest/globals';
import { projectFiles, readProjectFile } from './project-files.ts';
import { bannedNames, bannedWords, longProse, MAX_PROSE_COLUMNS } from './words.ts';

type Check = (path: string, source: string) => string[];

/** They quote what they check. */
const isChecker = (path: string) => path.startsWith('test/house/words');
const inAll = (check: Check, ...endings: string[]) =>
  projectFiles(...endings)
    .filter((path) => !isChecker(path) && !path.endsWith('.d.ts'))
    .flatMap((path) => check(path, readProjectFile(path)));

describe('the English of every file', () => {
  test('has no word of the list in CONTRIBUTING.md', () => {
    expect(inAll(bannedWords, '.ts', '.tsx', '.md')).toEqual([]);
  });

  test('has names that say what a thing is', () => {
    expect(inAll(bannedNames, '.ts', '.tsx')).toEqual([]);
  });

  test(`has lines of prose of at most ${MAX_PROSE_COLUMNS} columns`, () => {
    expect(inAll(longProse, '.ts', '.tsx', '.md')).toEqual([]);
  });
});

describe('the checks can fail', () => {
  const wide = `${'word '.repeat(MAX_PROSE_COLUMNS / 5)}word`;
  test.each<[string, Check, string, string]>([
    ['a comment', bannedWords, 'api/a.ts', '// The stream goes on elsewhere.\na();'],
    ['a sentence in a string', bannedWords, 'api/a.ts', "const a = 'Whoever waits is served.';"],
    ['a sentence in a template', bannedWords, 'api/a.ts', 'const a = `the worker begins anew now`;'],
    ['the text of a page', bannedWords, 'clients/web/src/a.tsx', 'const a = <p>Redis is away now</p>;'],
    ['a document', bannedWords, 'docs/a.md', 'It is taken up again.'],
    ['a parameter', bannedNames, 'api/a.ts', 'const f = (one: number) => one;'],
    ['a destructured name', bannedNames, 'api/a.ts', 'const { b: told } = c;'],
    ['a function', bannedNames, 'api/a.ts', 'function goOn() {}'],
    ['a wide comment', longProse, 'api/a.ts', `// ${wide}`],
    ['a wide paragraph', longProse, 'docs/a.md', wide],
  ])('on %s', (_name, check, path, source) => {
    expect(check(path, source)).toHaveLength(1);
  });

  test.each<[string, Check, string, string]>([
    ['code in a document', bannedWords, 'docs/a.md', '```sh\necho told\n```'],
    ['a word that contains one', bannedWords, 'api/a.ts', '// The threshold is untold.'],
    ['a key without a sentence', bannedWords, 'api/a.ts', "const a = b['told'];"],
    ['a table', longProse, 'docs/a.md', `| ${wide} |`],
  ])('not on %s', (_name, check, path, source) => {
    expect(check(path, source)).toEqual([]);
  });
});
