/**
 * `npm run prove -- helm`: Helm itself lints and renders the chart, kustomize the manifests, and the schemas of
 * Kubernetes and KEDA accept what they render.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cachedProgram, findOnPath, runCommand } from '../../tools/services/programs/executables.js';
import { PROJECT_ROOT } from '../harness/child-process.ts';
import { CHART, headOf, pathOf, RENDERINGS, type Rendering } from '../house/helm-renderings.ts';
import { faultOfManifest, type Manifest, manifestsIn } from '../house/kubernetes-schemas.ts';
import { readProjectFile } from '../house/project-files.ts';
import { renderChart, renderKustomization } from './render-chart.ts';

const VERSION = '3.22.0';
const MODULE = `helm.sh/helm/v3/cmd/helm@v${VERSION}`;
const BUILD_MS = 30 * 60_000;
const RUN_MS = 60_000;
const KUSTOMIZATION = 'tools/deploy/kubernetes';
const SCALERS = new Set(['HorizontalPodAutoscaler', 'ScaledObject']);
/** Values that the schema of the chart must refuse. */
const REFUSED = ['image.repository=', 'api.replica=3', 'image.digest=latest', 'qdrant.url=qdrant:6333'];

/** @param isWriting whether the renderings of test/house/helm are replaced. Resolves with whether all held. */
export async function proveHelm(isWriting: boolean): Promise<boolean> {
  const helm = await findHelm();
  const lint = await runCommand(helm, ['lint', '--strict', join(PROJECT_ROOT, CHART)], { timeoutMs: RUN_MS });
  console.log(lint.output);
  const faults = lint.code === 0 ? [] : ['helm lint found errors'];
  for (const rendering of RENDERINGS) faults.push(...(await checkRendering(helm, rendering, isWriting)));
  for (const set of REFUSED) {
    const rendered = await renderChart(helm, ['--set', set]).catch(() => null);
    console.log(`--set ${set}: ${rendered === null ? 'refused' : 'accepted'}`);
    if (rendered !== null) faults.push(`--set ${set} was accepted`);
  }
  faults.push(...(await checkKustomize()));
  for (const fault of faults) console.log(`FAULT ${fault}`);
  console.log(`${faults.length} faults`);
  return faults.length === 0;
}

async function checkRendering(helm: string, rendering: Rendering, isWriting: boolean): Promise<string[]> {
  const flags = rendering.values === undefined ? [] : ['--values', join(PROJECT_ROOT, rendering.values)];
  const rendered = `${headOf(rendering)}\n${await renderChart(helm, flags)}`;
  const manifests = manifestsIn(rendered);
  console.log(`${rendering.path}: ${manifests.length} manifests`);
  if (isWriting) writeFileSync(pathOf(rendering), rendered);
  const isKept = existsSync(pathOf(rendering)) && readProjectFile(rendering.path) === rendered;
  const stale = isKept ? [] : [`${rendering.path} is not what Helm renders: run this with --write`];
  return [...stale, ...manifests.map(faultOfManifest).filter((fault) => fault !== null)];
}

/** kubectl contains kustomize. The component for KEDA is used as its comment says. */
async function checkKustomize(): Promise<string[]> {
  const kubectl = findOnPath('kubectl');
  if (kubectl === undefined) {
    console.log('kubectl is not on PATH: kustomize was not run');
    return [];
  }
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-kustomize-'));
  try {
    cpSync(join(PROJECT_ROOT, KUSTOMIZATION), folder, { recursive: true });
    const plain = manifestsIn(await renderKustomization(kubectl, folder));
    const path = join(folder, 'kustomization.yaml');
    writeFileSync(path, readFileSync(path, 'utf8').replace('# components: [keda]', 'components: [keda]'));
    const withKeda = manifestsIn(await renderKustomization(kubectl, folder));
    const scalers = (manifests: readonly Manifest[]) =>
      manifests
        .filter(({ kind }) => SCALERS.has(kind))
        .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    console.log(`kustomize: ${scalers(plain).join(', ')}; with KEDA: ${scalers(withKeda).join(', ')}`);
    const isReplaced =
      scalers(withKeda).join() === 'HorizontalPodAutoscaler unbroken-api,ScaledObject unbroken-worker';
    const faults = [...plain, ...withKeda].map(faultOfManifest).filter((fault) => fault !== null);
    return isReplaced
      ? faults
      : [...faults, 'the component keda does not replace the autoscaler of the workers'];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** On PATH, else compiled once for the whole machine, which takes minutes. */
async function findHelm(): Promise<string> {
  const onPath = findOnPath('helm');
  if (onPath !== undefined) return onPath;
  return cachedProgram({ folder: `helm-${VERSION}`, program: 'helm', env: process.env }, async (workshop) => {
    console.log(`helm: not found; compiling it by: go install ${MODULE} (some minutes, once)`);
    const settings = { env: { GOBIN: workshop, GOFLAGS: '' }, timeoutMs: BUILD_MS };
    const built = await runCommand('go', ['install', MODULE], settings);
    if (built.code !== 0) throw new Error(`helm could not be compiled:\n${built.output}`);
    return join(workshop, 'helm');
  });
}
