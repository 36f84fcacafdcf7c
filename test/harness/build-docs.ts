import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROJECT_ROOT } from './child-process.ts';
import { inTurn, KEPT_IN } from './make-once.ts';

/** Builds the documentation site, unless it is up to date: until then the API answers 503 below `/docs`. */
export async function buildDocs(): Promise<void> {
  await inTurn(join(KEPT_IN, 'docs'), async () => {
    await promisify(execFile)(process.execPath, ['tools/docs/build.ts'], { cwd: PROJECT_ROOT });
  });
}
