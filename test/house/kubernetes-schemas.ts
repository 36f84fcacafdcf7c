/** Manifests against the schemas of Kubernetes and of KEDA. */
import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject';
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
  ScaledObject,
  Service,
  ServiceAccount,
};

const CHECKED_BY_CLASS = [
  'advanced',
  'cooldownPeriod',
  'fallback',
  'idleReplicaCount',
  'initialCooldownPeriod',
  'maxReplicaCount',
  'minReplicaCount',
  'pollingInterval',
  'scaleTargetRef',
] as const;
const text = z.string().min(1);
const number = z.string().regex(/^\d+(?:\.\d+)?$/);
const trigger = <Type extends string>(type: Type, metadata: z.ZodType) =>
  z.strictObject({
    type: z.literal(type),
    name: text.optional(),
    metricType: z.enum(['AverageValue', 'Value', 'Utilization']).optional(),
    metadata,
    authenticationRef: z.strictObject({ name: text }).optional(),
  });

/**
 * KEDA's schema knows no names of a trigger's parameters, and accepts a key that it does not know. Those of triggers
 * are of version 2.20, without the deprecated ones: keda.sh/docs/2.20/scalers.
 */
const scaledObjectSchema = z.strictObject({
  ...Object.fromEntries(CHECKED_BY_CLASS.map((name) => [name, z.unknown().optional()])),
  triggers: z.array(
    z.discriminatedUnion('type', [
      trigger('cpu', z.strictObject({ value: number, containerName: text.optional() })),
      trigger(
        'prometheus',
        z.strictObject({
          serverAddress: z.url(),
          query: text,
          threshold: number,
          activationThreshold: number.optional(),
          ignoreNullValues: z.enum(['true', 'false']).optional(),
          timeout: number.optional(),
        }),
      ),
      trigger(
        'temporal',
        z.strictObject({
          endpoint: text,
          taskQueue: text,
          namespace: text.optional(),
          queueTypes: z
            .string()
            .regex(/^(?:(?:workflow|activity|nexus)(?:,|$))+$/)
            .optional(),
          targetQueueSize: number.optional(),
          activationTargetQueueSize: number.optional(),
          workerDeploymentName: text.optional(),
          workerDeploymentBuildId: text.optional(),
          minConnectTimeout: number.optional(),
          tlsServerName: text.optional(),
        }),
      ),
    ]),
  ),
});

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
    if (kind === 'ScaledObject') scaledObjectSchema.parse(manifest['spec']);
    return null;
  } catch (error) {
    return `${manifest.metadata.name}: ${error instanceof Error ? error.message : error}`;
  }
}
