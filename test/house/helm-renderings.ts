/**
 * What Helm renders of our chart, kept in test/house/helm, because not every machine has Helm. Each file begins with
 * the hash of what it was rendered from. `npm run prove -- helm` renders them again.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { projectFiles, ROOT, readProjectFile } from './project-files.ts';

export const CHART = 'tools/deploy/helm';
const FOLDER = 'test/house/helm';

export interface Rendering {
  /** From the root of the project. */
  readonly path: string;
  /** The values that it was rendered with; undefined: those of the chart. */
  readonly values: string | undefined;
}

export const RENDERINGS: readonly Rendering[] = [
  { path: `${FOLDER}/default.yaml`, values: undefined },
  { path: `${FOLDER}/everything.yaml`, values: `${FOLDER}/everything.values.yaml` },
  { path: `${FOLDER}/keda.yaml`, values: `${FOLDER}/keda.values.yaml` },
];

/** The first line of the file. */
export function headOf({ values }: Rendering): string {
  const hash = createHash('sha256');
  const sources = projectFiles().filter((path) => path.startsWith(`${CHART}/`) || path === values);
  for (const path of sources) hash.update(`${path}\0`).update(readProjectFile(path));
  return `# What Helm renders of ${CHART}, ${hash.digest('hex')}`;
}

export function pathOf({ path }: Pick<Rendering, 'path'>): string {
  return join(ROOT, path);
}
