import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const BUILT = join(ROOT, 'clients', 'web', 'dist');
const build = () => {
  execFileSync(process.execPath, ['clients/web/build.ts'], { cwd: ROOT });
};
beforeAll(build);

describe('the built page', () => {
  const assets = () => readdirSync(join(BUILT, 'assets'));

  test('is not built again from the same sources', () => {
    const before = statSync(join(BUILT, 'index.html')).mtimeMs;
    build();
    expect(statSync(join(BUILT, 'index.html')).mtimeMs).toBe(before);
  });

  test('is small: all of it, compressed, is under 32 KB', () => {
    const sizes = [...assets().map((name) => join('assets', name)), 'index.html'].map(
      (name) => gzipSync(readFileSync(join(BUILT, name))).length,
    );
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(32 * 1024);
  });

  test('names its assets by their content, and loads nothing else', () => {
    const html = readFileSync(join(BUILT, 'index.html'), 'utf8');
    const urls = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');
    expect(urls.length).toBeGreaterThan(2);
    expect(urls.filter((path) => !/^\/assets\/[\w-]+-[\w-]{8}\.\w+$/.test(path))).toEqual([]);
    for (const name of assets().filter((asset) => /\.(js|css)$/.test(asset))) {
      const source = readFileSync(join(BUILT, 'assets', name), 'utf8');
      expect(source).not.toMatch(/url\(|@import|\beval\(|new Function/);
    }
  });
});
