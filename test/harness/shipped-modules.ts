/** The packages that ship, from the clone: npm takes them as they are, instead of unpacking 700 MB again. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { PROJECT_ROOT } from './child-process.ts';

const execute = promisify(execFile);
const TOP_LEVEL = /^node_modules\/(?:@[^/]+\/)?[^/]+$/;

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({ dev: z.boolean().default(false), bin: z.record(z.string(), z.string()).default({}) }),
  ),
});

/**
 * Fills the node_modules of an empty project with what is not for development alone, and with the links to its
 * programs. What npm then finds that the manifest of the installed package does not ask for, it removes.
 */
export async function linkShippedModules(folder: string): Promise<void> {
  const lock = lockSchema.parse(JSON.parse(readFileSync(join(PROJECT_ROOT, 'package-lock.json'), 'utf8')));
  const shipped = Object.entries(lock.packages).filter(
    // A package for another platform is in the lock alone.
    ([path, { dev }]) => TOP_LEVEL.test(path) && !dev && existsSync(join(PROJECT_ROOT, path)),
  );
  const scopes = Map.groupBy(shipped, ([path]) => dirname(path));
  for (const [scope, packages] of scopes) {
    const target = join(folder, scope);
    mkdirSync(target, { recursive: true });
    const paths = packages.map(([path]) => join(PROJECT_ROOT, path));
    // Links take a second; a temporary folder on another disk gets copies.
    await execute('cp', ['-Rl', ...paths, target]).catch(() => execute('cp', ['-R', ...paths, target]));
  }
  const programs = join(folder, 'node_modules', '.bin');
  mkdirSync(programs, { recursive: true });
  for (const [path, { bin }] of shipped)
    for (const [name, file] of Object.entries(bin))
      symlinkSync(relative(programs, join(folder, path, file)), join(programs, name));
}
