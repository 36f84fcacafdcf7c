/** The Helm chart: what Helm renders of it, against Kubernetes' schemas and against the manifests of kustomize. */
import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { z } from 'zod';
import { CHART, headOf, RENDERINGS } from './helm-renderings.ts';
import { faultOfManifest, type Manifest, manifestsIn } from './kubernetes-schemas.ts';
import { projectFiles, readJson, readProjectFile, sourceOfProgram } from './project-files.ts';

const [byDefault = [], withEverything = []] = RENDERINGS.map(({ path }) =>
  manifestsIn(readProjectFile(path)),
);
const kustomize = projectFiles('.yaml')
  .filter((path) => path.startsWith('tools/deploy/kubernetes/'))
  .filter((path) => !/(?:kustomization|unbroken\.config)\.yaml$/.test(path))
  .flatMap((path) => manifestsIn(readProjectFile(path)));

const podSchema = z.object({
  template: z.object({
    spec: z.looseObject({
      containers: z.tuple([z.looseObject({ name: z.string(), command: z.array(z.string()) })]),
    }),
  }),
});

const named = (manifests: readonly Manifest[], kind: string, ending: string) => {
  const found = manifests.filter(({ kind: its, metadata }) => its === kind && metadata.name.includes(ending));
  if (found.length !== 1) throw new Error(`${found.length} times ${kind} ...${ending}`);
  return found[0] as Manifest;
};
const podOf = (manifest: Manifest) => podSchema.parse(manifest['spec']).template.spec;
const settingsOf = (manifests: readonly Manifest[]) =>
  z.record(z.string(), z.string()).parse(named(manifests, 'ConfigMap', '-settings')['data']);

describe('what Helm renders', () => {
  test.each(RENDERINGS)('is kept in $path, and is that of the chart as it is now', (rendering) => {
    // Where this fails: npm run prove -- helm --write
    expect(readProjectFile(rendering.path).split('\n')[0]).toBe(headOf(rendering));
  });

  test('keeps to the schemas of Kubernetes', () => {
    expect(byDefault.length).toBeGreaterThan(9);
    expect([...byDefault, ...withEverything].map(faultOfManifest).filter((fault) => fault !== null)).toEqual(
      [],
    );
  });

  test('the check notices a key that Kubernetes does not know', () => {
    const deployment = named(byDefault, 'Deployment', '-api');
    expect(faultOfManifest({ ...deployment, spec: { replica: 2 } })).not.toBeNull();
  });

  test('a selector names labels of its pods', () => {
    for (const manifest of [...byDefault, ...withEverything].filter(({ kind }) => kind === 'Deployment')) {
      const spec = z
        .object({
          selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
          template: z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()) }) }),
        })
        .parse(manifest['spec']);
      expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
      expect(Object.keys(spec.selector.matchLabels)).toHaveLength(2);
    }
  });
});

describe('the chart and kustomize', () => {
  /** What may differ: the image, and the names of other objects. */
  const comparable = (manifest: Manifest) => {
    const {
      serviceAccountName: _,
      topologySpreadConstraints,
      volumes: __,
      containers,
      ...pod
    } = podOf(manifest);
    const [{ image: ___, imagePullPolicy: ____, envFrom: _____, ...container }] = containers;
    return { ...pod, container, isSpread: topologySpreadConstraints !== undefined };
  };

  test.each([
    ['Deployment', '-api'],
    ['Deployment', '-worker'],
    ['Job', '-prepare-namespace'],
  ])('run the same pods: %s %s', (kind, ending) => {
    expect(comparable(named(byDefault, kind, ending))).toEqual(comparable(named(kustomize, kind, ending)));
  });

  test.each(['-api', '-worker'])('scale and protect %s alike', (ending) => {
    for (const kind of ['HorizontalPodAutoscaler', 'PodDisruptionBudget']) {
      const [chart, other] = [byDefault, kustomize].map((manifests) => {
        const {
          scaleTargetRef: _,
          selector: __,
          ...rest
        } = z.looseObject({}).parse(named(manifests, kind, ending)['spec']) as Record<string, unknown>;
        return rest;
      });
      expect(chart).toEqual(other);
    }
  });

  test('set the same variables', () => {
    const lines = readProjectFile('tools/deploy/kubernetes/unbroken.env').trim().split('\n');
    const entries = lines.map((line) => [
      line.slice(0, line.indexOf('=')),
      line.slice(line.indexOf('=') + 1),
    ]);
    expect(settingsOf(byDefault)).toEqual(Object.fromEntries(entries));
  });

  test('run programs of the image', () => {
    const programs = byDefault
      .filter(({ kind }) => kind === 'Deployment' || kind === 'Job')
      .flatMap((manifest) => podOf(manifest).containers[0].command.filter((part) => part.endsWith('.js')));
    expect(programs).toHaveLength(4);
    expect(programs.map(sourceOfProgram)).not.toContain('');
  });
});

describe('the values', () => {
  test('reach what they are for', () => {
    const api = named(withEverything, 'Deployment', '-api');
    expect(api['spec']).toMatchObject({ replicas: 5 });
    expect(podOf(api)).toMatchObject({
      serviceAccountName: 'generations',
      imagePullSecrets: [{ name: 'registry' }],
      nodeSelector: { 'kubernetes.io/arch': 'amd64' },
      containers: [
        {
          // A digest outranks the tag.
          image: `registry.example.com/team/unbroken@sha256:${'1'.repeat(64)}`,
          envFrom: [{ configMapRef: {} }, { secretRef: { name: 'keys-of-providers' } }],
        },
      ],
    });
    expect(settingsOf(withEverything)).toMatchObject({
      TEMPORAL_ADDRESS: 'temporal.example.com:7233',
      OTEL_TRACES_SAMPLER_ARG: '0.5',
    });
    const config = z
      .object({ 'unbroken.config.yaml': z.string() })
      .parse(named(withEverything, 'ConfigMap', '-config')['data'])['unbroken.config.yaml'];
    expect(parse(config)).toEqual({
      routes: { default: { candidates: ['openai/gpt-4o-mini'] } },
      worker: { drainMs: 60_000 },
    });
    expect(named(withEverything, 'Ingress', '-api')['spec']).toMatchObject({
      ingressClassName: 'nginx',
      tls: [{ hosts: ['ai.example.com'], secretName: 'ai-example-com' }],
    });
    const kinds = withEverything.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'HorizontalPodAutoscaler')).toHaveLength(1);
    expect(kinds).not.toContain('Job');
  });

  test('have a schema that knows each of them, and refuses a misspelt one', () => {
    const validate = new Ajv({ allowUnionTypes: true, strict: false }).compile(
      z.looseObject({}).parse(readJson(`${CHART}/values.schema.json`)),
    );
    const values = z
      .looseObject({ api: z.looseObject({}) })
      .parse(parse(readProjectFile(`${CHART}/values.yaml`)));
    expect([validate(values), validate.errors]).toEqual([true, null]);
    expect(validate(parse(readProjectFile('test/house/helm/everything.values.yaml')))).toBe(true);
    expect(validate({ ...values, api: { ...values.api, replica: 3 } })).toBe(false);
  });
});
