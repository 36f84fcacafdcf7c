/** Bundles the workflow code for Temporal's sandbox. Bundling takes seconds, so the bundle is cached on disk. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { workflowInterceptorModules } from '../engine/telemetry/trace-temporal.ts';
import { FAILURE_CONVERTER } from '../platform/encryption/data-converter.ts';

const ROOT = join(import.meta.dirname, '..');

/** The name of the cached bundle is the hash of everything that goes into it. */
export async function bundleWorkflows(
  dataDir: string,
  { isEncrypted = false, isTraced = false }: { isEncrypted?: boolean; isTraced?: boolean } = {},
): Promise<{ code: string }> {
  const converter = isEncrypted ? { failureConverterPath: FAILURE_CONVERTER } : {};
  const hash = createHash('sha256').update(readFileSync(join(ROOT, 'package-lock.json')));
  if (isTraced) hash.update('traced');
  if (isEncrypted) hash.update(readFileSync(FAILURE_CONVERTER));
  for (const folder of ['contracts', 'workflows']) {
    const names = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith('.ts'));
    for (const name of names.sort()) hash.update(name).update(readFileSync(join(ROOT, folder, name)));
  }
  const cached = join(dataDir, 'cache', `workflows-${hash.digest('hex').slice(0, 16)}.js`);
  if (existsSync(cached)) return { code: readFileSync(cached, 'utf8') };
  const bundle = await bundleWorkflowCode({
    workflowsPath: join(ROOT, 'workflows', 'generation.ts'),
    ...converter,
    workflowInterceptorModules: workflowInterceptorModules(isTraced),
    logger: new DefaultLogger('WARN'),
  });
  mkdirSync(join(dataDir, 'cache'), { recursive: true });
  // Another worker may read it at this moment, and this one may be killed: it appears whole or not at all.
  const unfinished = `${cached}.${process.pid}`;
  writeFileSync(unfinished, bundle.code);
  renameSync(unfinished, cached);
  return bundle;
}
