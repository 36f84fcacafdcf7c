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

  test('is small: what opens first is under 40 KB, compressed, and all of it is under 256 KB', () => {
    const sizeOf = (name: string) => gzipSync(readFileSync(join(BUILT, name))).length;
    const sum = (names: readonly string[]) => names.reduce((bytes, name) => bytes + sizeOf(name), 0);
    const html = readFileSync(join(BUILT, 'index.html'), 'utf8');
    const isFirst = (name: string) => html.includes(name) || /^(chat|jsxRuntime)-/.test(name);
    const first = assets().filter(isFirst);
    expect(first.length).toBeGreaterThan(3);
    expect(sum(['index.html', ...first.map((name) => join('assets', name))])).toBeLessThan(40 * 1024);
    expect(sum(assets().map((name) => join('assets', name)))).toBeLessThan(256 * 1024);
  });

  test('names its assets by their content, and loads nothing else', () => {
    const html = readFileSync(join(BUILT, 'index.html'), 'utf8');
    const urls = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');
    expect(urls.length).toBeGreaterThan(2);
    expect(urls.filter((path) => !/^\/assets\/[\w-]+-[\w-]{8}\.\w+$/.test(path))).toEqual([]);
    const sourcesOf = (type: RegExp) =>
      assets()
        .filter((asset) => type.test(asset))
        .map((name) => readFileSync(join(BUILT, 'assets', name), 'utf8'));
    for (const style of sourcesOf(/\.css$/)) expect(style).not.toMatch(/url\(|@import/);
    // Zod's `new Function` is switched off (without-eval.ts): Chromium would report it to the tests of the page.
    for (const script of sourcesOf(/\.js$/)) expect(script).not.toMatch(/\beval\(|importScripts/);
  });
});
