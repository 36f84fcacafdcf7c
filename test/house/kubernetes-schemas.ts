/** Manifests against the schemas of Kubernetes. */
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1/Ingress';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

const KINDS = {
  ConfigMap,
  Deployment,
  HorizontalPodAutoscaler,
  Ingress,
  Job,
  PodDisruptionBudget,
  Service,
  ServiceAccount,
};

const manifestSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
});

export type Manifest = z.output<typeof manifestSchema>;

/** Throws on YAML that is broken or names a key twice. */
export function manifestsIn(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    const [broken] = document.errors;
    if (broken !== undefined) throw broken;
    return manifestSchema.parse(document.toJS());
  });
}

/** What the schema of Kubernetes says against it; null where nothing. */
export function faultOfManifest(manifest: Manifest): string | null {
  const Kind = Object.entries(KINDS).find(([kind]) => kind === manifest.kind)?.[1];
  if (Kind === undefined) return `${manifest.kind} is a kind that this test does not know`;
  try {
    const { apiVersion, kind } = new Kind(manifest as never);
    if (apiVersion !== manifest.apiVersion || kind !== manifest.kind) return `is of ${manifest.apiVersion}`;
    new Kind(manifest as never).validate();
    return null;
  } catch (error) {
    return `${manifest.metadata.name}: ${error instanceof Error ? error.message : error}`;
  }
}
