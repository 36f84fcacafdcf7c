import { describe, expect, test } from '@jest/globals';
import { readProjectFile } from '../../house/project-files.ts';
import { readDockerIgnore } from './docker-ignore.ts';
import { parseDockerfile } from './dockerfile.ts';

describe('the Dockerfile as the proof reads it', () => {
  test('has every step, over continued lines, by stage', () => {
    const stages = parseDockerfile(readProjectFile('Dockerfile'));
    expect(stages.map(({ name }) => name)).toEqual(['build', undefined]);
    const [build, last] = stages;
    expect(build?.steps).toContainEqual({ kind: 'run', command: 'node tools/package/build.ts' });
    expect(last?.steps).toContainEqual({
      kind: 'copy',
      from: 'build',
      sources: ['/app/dist'],
      target: './',
    });
    expect(last?.steps).toContainEqual({
      kind: 'env',
      variables: { NODE_ENV: 'production', UNBROKEN_DATA_DIR: '/app/.unbroken' },
    });
    expect(last?.command).toEqual(['node', 'api/main.js']);
    expect(last?.healthCheck.slice(0, 2)).toEqual(['node', '-e']);
  });

  test.each(['ADD a b', 'COPY --chown=node a b', 'SHELL ["bash"]', 'CMD node api/main.js'])(
    'refuses what it cannot run: %s',
    (line) => {
      expect(() => parseDockerfile(`FROM node\n${line}\n`)).toThrow();
    },
  );
});

test('the context leaves out what .dockerignore names, and keeps the rest', () => {
  const isSent = readDockerIgnore(readProjectFile('.dockerignore'));
  expect(['api/main.ts', 'docs/security.md', 'package.json'].map(isSent)).toEqual([true, true, true]);
  const left = [
    'test/house/words.ts',
    'docs/dist/index.html',
    '.env',
    'a.log',
    'examples/nextjs/node_modules/a.js',
  ];
  expect(left.filter(isSent)).toEqual([]);
});
