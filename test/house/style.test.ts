import { describe, expect, test } from '@jest/globals';
import { ERRORS } from '../../contracts/errors.ts';
import { projectFiles, readProjectFile } from './project-files.ts';
import {
  emptyCatches,
  emptyName,
  environmentReads,
  lockHosts,
  MAX_LINES,
  machineTraces,
  tooLong,
} from './style.ts';

type Check = (path: string, source: string) => string[];

const TEXT = [
  '.ts',
  '.tsx',
  '.css',
  '.html',
  '.js',
  '.json',
  '.md',
  '.yml',
  '.yaml',
  '.svg',
  'Dockerfile',
  '.ci/run',
];
const inAll = (check: Check, ...endings: string[]) =>
  projectFiles(...endings).flatMap((path) => check(path, readProjectFile(path)));

describe('every file', () => {
  test('only the config, programs and tools read the environment', () => {
    expect(inAll(environmentReads, '.ts', '.tsx')).toEqual([]);
  });

  test('no error is swallowed', () => {
    expect(inAll(emptyCatches, '.ts', '.tsx', '.js')).toEqual([]);
  });

  test(`no source file has over ${MAX_LINES} lines`, () => {
    expect(inAll(tooLong, '.ts', '.tsx', '.js', '.css')).toEqual([]);
  });

  test('no file has a name that says nothing', () => {
    expect(projectFiles().flatMap(emptyName)).toEqual([]);
  });

  test('no file names a path of one machine or a package mirror', () => {
    const isChecker = (path: string) => path.startsWith('test/house/style');
    const files = projectFiles(...TEXT).filter((path) => !isChecker(path));
    expect(files.flatMap((path) => machineTraces(path, readProjectFile(path)))).toEqual([]);
  });
});

describe('the checks can fail', () => {
  test.each<[string, Check, string, string]>([
    ['process.env', environmentReads, 'api/a.ts', 'const a = process.env.A;'],
    ['process["env"]', environmentReads, 'api/a.ts', `const a = process['env'];`],
    ['process?.env', environmentReads, 'worker/a.ts', 'const a = process?.env;'],
    ['env of node:process', environmentReads, 'api/a.ts', `import { env } from 'node:process'; env;`],
    ['an empty catch', emptyCatches, 'api/a.ts', 'try { a(); } catch {}'],
    ['a catch with but a comment', emptyCatches, 'api/a.ts', 'try { a(); } catch { /* fine */ }'],
    ['an empty .catch()', emptyCatches, 'api/a.ts', 'a().catch(() => {});'],
    ['a long file', tooLong, 'api/a.ts', 'a();\n'.repeat(MAX_LINES + 1)],
    ['a machine path', machineTraces, 'a.md', 'See /home/someone/notes.'],
    ['a temporary path', machineTraces, 'a.md', 'run /tmp/lab/x'],
    ['a mirror', machineTraces, 'a.json', '"https://artifactory.example.com/npm/a.tgz"'],
    ['a name that says nothing', emptyName, 'api/utils.ts', ''],
  ])('on %s', (_name, check, path, source) => {
    expect(check(path, source)).toHaveLength(1);
  });

  test('on a lock file of another registry', () => {
    expect(lockHosts('{ "resolved": "http://mirror.local:4873/a/-/a-1.0.0.tgz" }')).toEqual([
      'http://mirror.local:4873',
    ]);
  });
});

describe('error codes', () => {
  const pages = projectFiles('.md').filter((path) => path.startsWith('docs/errors/'));

  test('every code has its page, and every page a code', () => {
    const named = pages.map((path) => path.slice('docs/errors/'.length, -'.md'.length));
    expect(named).toEqual(Object.keys(ERRORS).sort());
  });

  test.each(Object.entries(ERRORS))('%s: the page has message, status, why and quick fix', (code, entry) => {
    // A paragraph may be wrapped.
    const page = readProjectFile(`docs/errors/${code}.md`).replaceAll(/(?<=\S)\n(?=\S)/g, ' ');
    expect(page).toMatch(/^# \w+\n\n> .+\n\nHTTP status \d+\..+\n\n## Why\n\n.+\n\n## Quick fix\n\n.+\n$/);
    expect(page).toContain(`# ${code}\n`);
    expect(page).toContain(`HTTP status ${entry.status}.`);
    expect(page.includes('next candidate of the route is tried')).toBe(entry.fallback);
  });
});
