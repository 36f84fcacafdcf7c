import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { PROJECT_ROOT } from '../harness/child-process.ts';
import { CHART } from '../house/helm-renderings.ts';

const execute = promisify(execFile);
/** The oldest that the chart supports. */
const KUBERNETES = '1.30.0';
const RELEASE = 'team';

/** Rejects with what Helm says against it. */
export async function renderChart(helm: string, flags: readonly string[]): Promise<string> {
  const args = ['template', RELEASE, CHART, '--kube-version', KUBERNETES, ...flags];
  const { stdout } = await execute(helm, args, { cwd: PROJECT_ROOT });
  return stdout;
}

/** Rejects with what kustomize, a part of kubectl, says against it. */
export async function renderKustomization(kubectl: string, folder: string): Promise<string> {
  const { stdout } = await execute(kubectl, ['kustomize', folder]);
  return stdout;
}
