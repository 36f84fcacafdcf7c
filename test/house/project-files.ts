/** The files of the project, as git would commit them. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export const ROOT = join(import.meta.dirname, '..', '..');

/** Paths from the root, of tracked files and of new ones that are not ignored. */
export function projectFiles(...endings: readonly string[]): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
  });
  return listed
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(ROOT, path)))
    .filter((path) => endings.length === 0 || endings.some((ending) => path.endsWith(ending)))
    .sort();
}

export function readProjectFile(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function readJson(path: string): unknown {
  return JSON.parse(readProjectFile(path));
}

const COMPILED = z.object({ files: z.array(z.string()) }).parse(readJson('tools/package/tsconfig.json'));

/** The source of a program of the image, such as `api/main.js`; throws if the build compiles no such program. */
export function sourceOfProgram(path: string): string {
  const source = join(path).replace(/\.js$/, '.ts');
  if (!COMPILED.files.includes(`../../${source}`)) throw new Error(`tools/package compiles no ${path}`);
  return source;
}
