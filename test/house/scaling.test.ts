/** The autoscalers of the workers, with KEDA and with the Prometheus Adapter. */
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { configSchema } from '../../platform/config/schema.ts';
import { faultOfManifest, type Manifest, manifestsIn } from './kubernetes-schemas.ts';
import { readProjectFile } from './project-files.ts';
import { adapterMetrics, scaledObjectIn } from './scaling-signals.ts';

const CHART = 'test/house/helm/keda.yaml';
const COMPONENT = 'tools/deploy/kubernetes/keda';
const ofChart = scaledObjectIn(CHART);
const ofComponent = scaledObjectIn(`${COMPONENT}/scaled-object.yaml`);

const triggerSchema = z.looseObject({ type: z.string(), metadata: z.record(z.string(), z.string()) });
const specSchema = z.looseObject({ triggers: z.array(triggerSchema) });
const triggersOf = ({ spec }: Manifest) => specSchema.parse(spec).triggers;

/** A ScaledObject whose last trigger, Temporal's, has another parameter too. */
function withParameter(manifest: Manifest, name: string): Manifest {
  const spec = specSchema.parse(manifest['spec']);
  const triggers = spec.triggers.map((trigger) =>
    trigger.type === 'temporal' ? { ...trigger, metadata: { ...trigger.metadata, [name]: '1' } } : trigger,
  );
  return { ...manifest, spec: { ...spec, triggers } };
}

describe('with KEDA', () => {
  test('both objects keep to the schemas of KEDA and of its triggers', () => {
    expect([ofChart, ofComponent].map(faultOfManifest)).toEqual([null, null]);
  });

  test('the check notices a key of the object and a parameter of a trigger that KEDA does not know', () => {
    const spec = { ...specSchema.parse(ofChart['spec']), maxReplicas: 3 };
    expect(faultOfManifest({ ...ofChart, spec })).toContain('maxReplicas');
    expect(faultOfManifest(withParameter(ofChart, 'queueSize'))).toContain('queueSize');
    expect(faultOfManifest(withParameter(ofChart, 'activationTargetQueueSize'))).toBeNull();
  });

  test('chart and kustomize scale alike, but for the names of what they scale', () => {
    const comparable = (manifest: Manifest) => {
      const { scaleTargetRef: _, triggers, ...spec } = specSchema.parse(manifest['spec']);
      const named = triggers.map(({ authenticationRef: __, metadata, ...trigger }) => ({
        ...trigger,
        metadata: {
          ...metadata,
          ...(metadata['query'] === undefined
            ? {}
            : { query: metadata['query'].replace('team-unbroken', 'unbroken') }),
          ...(trigger.type === 'temporal' ? { endpoint: '', namespace: '', taskQueue: '' } : {}),
        },
      }));
      return { ...spec, triggers: named };
    };
    expect(comparable(ofChart)).toEqual(comparable(ofComponent));
  });

  test('no other autoscaler scales the same workers', () => {
    const chart = manifestsIn(readProjectFile(CHART)).filter(
      ({ kind }) => kind === 'HorizontalPodAutoscaler',
    );
    expect(chart.map(({ metadata }) => metadata.name)).toEqual(['team-unbroken-api']);
    const component = z
      .object({
        kind: z.literal('Component'),
        resources: z.tuple([z.literal('scaled-object.yaml')]),
        patches: z.tuple([z.object({ patch: z.string() })]),
      })
      .parse(parse(readProjectFile(`${COMPONENT}/kustomization.yaml`)));
    expect(parse(component.patches[0].patch)).toEqual({
      $patch: 'delete',
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: ofComponent.metadata.name },
    });
  });

  test('the values reach Temporal: its address, namespace, task queue and credentials', () => {
    expect(triggersOf(ofChart).at(-1)).toMatchObject({
      metadata: {
        endpoint: 'team.a1b2c.tmprl.cloud:7233',
        namespace: 'team.a1b2c',
        taskQueue: 'generations',
      },
      authenticationRef: { name: 'temporal-cloud' },
    });
  });
});

describe('with the Prometheus Adapter', () => {
  test('the autoscaler reads the metrics that the rules of the adapter serve', () => {
    const [scaler] = manifestsIn(readProjectFile('test/house/helm/everything.yaml')).filter(
      ({ kind }) => kind === 'HorizontalPodAutoscaler',
    );
    const named = z.object({ metric: z.object({ name: z.string() }) });
    const { metrics } = z
      .object({
        metrics: z.array(z.object({ type: z.string(), pods: named.optional(), external: named.optional() })),
      })
      .parse(scaler?.['spec']);
    expect(metrics.map(({ type }) => type)).toEqual(['Resource', 'Pods', 'External', 'External']);
    expect({
      pods: metrics.flatMap(({ pods }) => (pods === undefined ? [] : [pods.metric.name])),
      external: metrics.flatMap(({ external }) => (external === undefined ? [] : [external.metric.name])),
    }).toEqual(adapterMetrics());
  });
});

describe('a process that is asked to leave', () => {
  const graceSchema = z.object({
    template: z.object({ spec: z.object({ terminationGracePeriodSeconds: z.number() }) }),
  });
  const graceMsOf = (path: string, ending: '-api' | '-worker') => {
    const deployment = manifestsIn(readProjectFile(path)).find(
      ({ kind, metadata }) => kind === 'Deployment' && metadata.name.endsWith(ending),
    );
    return graceSchema.parse(deployment?.['spec']).template.spec.terminationGracePeriodSeconds * 1_000;
  };

  test.each([
    ['test/house/helm/default.yaml', 60_000],
    ['test/house/helm/keda.yaml', 120_000],
    ['tools/deploy/kubernetes/worker.yaml', 60_000],
  ])('has time to drain and to hand over what still runs: %s', (path, drainMs) => {
    expect(graceMsOf(path, '-worker')).toBe(drainMs + 30_000);
  });

  test.each([
    ['test/house/helm/default.yaml', 20_000],
    ['test/house/helm/keda.yaml', 90_000],
    ['tools/deploy/kubernetes/api.yaml', 20_000],
  ])('has time for its pause and to end its responses: %s', (path, drainMs) => {
    expect(graceMsOf(path, '-api')).toBe(drainMs + 15_000);
  });

  test('drains as long as the configs say', () => {
    const config = configSchema.parse(parse(readProjectFile('tools/deploy/kubernetes/unbroken.config.yaml')));
    const values = z
      .object({ config: configSchema })
      .parse(parse(readProjectFile('tools/deploy/helm/values.yaml')));
    expect([config, values.config].map(({ worker }) => worker.drainMs)).toEqual([60_000, 60_000]);
  });
});
