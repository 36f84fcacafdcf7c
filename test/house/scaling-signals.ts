/** What the autoscalers of the workers ask Prometheus: KEDA, by chart and kustomize, and the Prometheus Adapter. */
import { parse } from 'yaml';
import { z } from 'zod';
import { type Manifest, manifestsIn } from './kubernetes-schemas.ts';
import { readProjectFile } from './project-files.ts';

const ADAPTER = 'tools/deploy/observability/prometheus-adapter.yaml';

/** As the adapter's Config in sigs.k8s.io/prometheus-adapter/pkg/config. */
const ruleSchema = z.strictObject({
  seriesQuery: z.string(),
  resources: z.union([
    z.strictObject({ template: z.string() }),
    z.strictObject({ overrides: z.record(z.string(), z.strictObject({ resource: z.string() })) }),
  ]),
  name: z.strictObject({ as: z.string() }).optional(),
  metricsQuery: z.string(),
});
const adapterSchema = z.strictObject({
  rules: z.strictObject({ custom: z.array(ruleSchema), external: z.array(ruleSchema) }),
});

/** The names under which the adapter serves its metrics. */
export function adapterMetrics(): { readonly pods: readonly string[]; readonly external: readonly string[] } {
  const { custom, external } = adapterRules();
  const nameOf = ({ name, seriesQuery }: z.output<typeof ruleSchema>) =>
    name?.as ?? seriesQuery.slice(0, seriesQuery.indexOf('{'));
  return { pods: custom.map(nameOf), external: external.map(nameOf) };
}

function adapterRules() {
  return adapterSchema.parse(parse(readProjectFile(ADAPTER))).rules;
}

const specSchema = z.looseObject({
  triggers: z.array(z.looseObject({ metadata: z.record(z.string(), z.string()) })),
});

export function scaledObjectIn(path: string): Manifest {
  const [found, ...others] = manifestsIn(readProjectFile(path)).filter(({ kind }) => kind === 'ScaledObject');
  if (found === undefined || others.length > 0) throw new Error(`${path} has not one ScaledObject`);
  return found;
}

/** Each an expression of PromQL. */
export function scalingQueries(): string[] {
  const { custom, external } = adapterRules();
  const ofAdapter = [...custom, ...external].flatMap(({ seriesQuery, metricsQuery }) =>
    metricsQuery
      .replaceAll('<<.GroupBy>>', 'namespace')
      .replaceAll('<<.LabelMatchers>>', 'namespace="default"')
      .replaceAll('<<.Series>>', seriesQuery.slice(0, seriesQuery.indexOf('{')))
      .split(/\s+or\s+/),
  );
  const ofKeda = ['test/house/helm/keda.yaml', 'tools/deploy/kubernetes/keda/scaled-object.yaml'].flatMap(
    (path) =>
      specSchema
        .parse(scaledObjectIn(path)['spec'])
        .triggers.flatMap(({ metadata: { query } }) => (query === undefined ? [] : [query])),
  );
  return [...ofAdapter, ...ofKeda];
}
