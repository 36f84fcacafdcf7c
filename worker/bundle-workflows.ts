/**
 * The bundle of the workflow code for Temporal's sandbox. The npm package and the image contain it, so that they need
 * no bundler. A clone makes it, which takes seconds, and caches it on disk.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { workflowInterceptorModules } from '../engine/telemetry/trace-temporal.ts';
import { FAILURE_CONVERTER } from '../platform/encryption/data-converter.ts';
import { IS_COMPILED } from '../platform/on-disk.ts';

const ROOT = join(import.meta.dirname, '..');
const SOURCE_MAP = '//# sourceMappingURL=data:application/json;charset=utf-8;base64,';

/** What the bundle contains beside the workflows. */
interface BundleForm {
  readonly isEncrypted?: boolean;
  readonly isTraced?: boolean;
}

export async function bundleWorkflows(dataDir: string, form: BundleForm = {}): Promise<{ code: string }> {
  if (IS_COMPILED) return { code: readFileSync(join(import.meta.dirname, bundleName(form)), 'utf8') };
  const path = cachedPath(dataDir, form);
  if (existsSync(path)) return { code: readFileSync(path, 'utf8') };
  const code = await makeBundle(form);
  mkdirSync(join(dataDir, 'cache'), { recursive: true });
  // Another worker may read it at this moment, and this one may be killed: it appears whole or not at all.
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, code);
  renameSync(unfinished, path);
  return { code };
}

/**
 * Writes the bundle of every form into the folder of the compiled worker.
 * @param dataDir whose cache may have them already.
 */
export async function writeBundles(folder: string, dataDir: string): Promise<void> {
  for (const isEncrypted of [false, true]) {
    for (const isTraced of [false, true]) {
      const form = { isEncrypted, isTraced };
      const { code } = await bundleWorkflows(dataDir, form);
      writeFileSync(join(folder, bundleName(form)), withSourcesFromRoot(code));
    }
  }
}

/** The source map names the files by their paths from the root, not by folders of the machine that built it. */
function withSourcesFromRoot(code: string): string {
  const at = code.lastIndexOf(SOURCE_MAP);
  if (at === -1) throw new Error('the workflow bundle has no source map, which Temporal needs');
  const start = at + SOURCE_MAP.length;
  const map = Buffer.from(code.slice(start), 'base64').toString().replaceAll(`${ROOT}/`, '');
  return code.slice(0, start) + Buffer.from(map).toString('base64');
}

function bundleName({ isEncrypted = false, isTraced = false }: BundleForm): string {
  return `workflow-bundle${isEncrypted ? '-encrypted' : ''}${isTraced ? '-traced' : ''}.js`;
}

/** The name of the cached bundle is the hash of everything that goes into it: its map has the paths of the clone. */
function cachedPath(dataDir: string, { isEncrypted = false, isTraced = false }: BundleForm): string {
  const hash = createHash('sha256').update(readFileSync(join(ROOT, 'package-lock.json')));
  hash.update(ROOT).update(readFileSync(import.meta.filename));
  hash.update(workflowInterceptorModules(isTraced).join());
  if (isEncrypted) hash.update(readFileSync(FAILURE_CONVERTER));
  for (const folder of ['contracts', 'workflows']) {
    const names = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith('.ts'));
    for (const name of names.sort()) hash.update(name).update(readFileSync(join(ROOT, folder, name)));
  }
  return join(dataDir, 'cache', `workflows-${hash.digest('hex').slice(0, 16)}.js`);
}

async function makeBundle({ isEncrypted = false, isTraced = false }: BundleForm): Promise<string> {
  const converter = isEncrypted ? { failureConverterPath: FAILURE_CONVERTER } : {};
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(ROOT, 'workflows', 'generation.ts'),
    ...converter,
    workflowInterceptorModules: workflowInterceptorModules(isTraced),
    logger: new DefaultLogger('WARN'),
  });
  return code;
}
