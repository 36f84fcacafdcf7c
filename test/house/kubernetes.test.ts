/** The manifests against the schemas of Kubernetes, and against what the image and the processes are. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadConfig } from '../../platform/config/load-config.ts';
import { configSchema } from '../../platform/config/schema.ts';
import { faultOfManifest, manifestsIn } from './kubernetes-schemas.ts';
import { projectFiles, ROOT, readProjectFile, sourceOfProgram } from './project-files.ts';

const FOLDER = 'tools/deploy/kubernetes';

const kustomization = z
  .object({ resources: z.array(z.string()) })
  .parse(parse(readProjectFile(`${FOLDER}/kustomization.yaml`)));
const manifests = kustomization.resources.flatMap((file) =>
  manifestsIn(readProjectFile(`${FOLDER}/${file}`)),
);

const podsOf = (kind: string) =>
  manifests
    .filter((manifest) => manifest.kind === kind)
    .map((manifest) => ({
      name: manifest.metadata.name,
      pod: podSchema.parse(manifest['spec']).template.spec,
    }));

const probe = z.object({ httpGet: z.object({ path: z.enum(['/healthz', '/readyz']), port: z.string() }) });
const podSchema = z.object({
  template: z.object({
    spec: z.looseObject({
      terminationGracePeriodSeconds: z.number().optional(),
      securityContext: z.looseObject({ runAsNonRoot: z.literal(true), runAsUser: z.number().positive() }),
      containers: z.array(
        z.looseObject({
          command: z.array(z.string()),
          ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).default([]),
          resources: z.object({
            requests: z.object({ cpu: z.string(), memory: z.string() }),
            limits: z.object({ memory: z.string() }),
          }),
          securityContext: z.object({
            allowPrivilegeEscalation: z.literal(false),
            readOnlyRootFilesystem: z.literal(true),
            capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
          }),
          startupProbe: probe.optional(),
          readinessProbe: probe.optional(),
          livenessProbe: probe.optional(),
        }),
      ),
    }),
  }),
});

describe('tools/deploy/kubernetes', () => {
  test('every manifest keeps to the schema of Kubernetes', () => {
    expect(manifests.length).toBeGreaterThan(7);
    expect(manifests.map(faultOfManifest).filter((fault) => fault !== null)).toEqual([]);
  });

  test('the check notices a key that Kubernetes does not know, and a value of the wrong kind', () => {
    const [service] = manifests.filter(({ kind }) => kind === 'Service');
    const budget = manifests.find(({ kind }) => kind === 'PodDisruptionBudget');
    if (service === undefined || budget === undefined) throw new Error('no Service, no PodDisruptionBudget');
    expect(faultOfManifest({ ...service, spec: { ports: [{ port: 'eighty' }] } })).toContain('port');
    expect(faultOfManifest({ ...budget, spec: { selector: { matchLabels: 7 } } })).toContain('matchLabels');
  });

  test('every file is part of the kustomization, and every file that it runs exists', () => {
    const written = readdirSync(join(ROOT, FOLDER)).filter(
      (name) => name.endsWith('.yaml') && name !== 'kustomization.yaml' && name !== 'unbroken.config.yaml',
    );
    expect(kustomization.resources.toSorted()).toEqual(written.toSorted());
    const programs = [...podsOf('Deployment'), ...podsOf('Job')].flatMap(({ pod }) =>
      pod.containers.flatMap(({ command }) => command.filter((part) => part.endsWith('.js'))),
    );
    expect(programs.length).toBeGreaterThan(3);
    expect(programs.map(sourceOfProgram).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test('nothing runs as root; what serves has probes on ports that it has, and time to leave', () => {
    const serving = podsOf('Deployment');
    expect(serving.map(({ name }) => name).sort()).toEqual(['unbroken-api', 'unbroken-worker']);
    expect(podsOf('Job')).toHaveLength(1);
    const settings = loadConfig(environmentOf());
    for (const { pod } of serving) {
      for (const { ports, startupProbe, readinessProbe, livenessProbe } of pod.containers) {
        for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
          expect(ports.map(({ name }) => name)).toContain(probe?.httpGet.port);
        }
        for (const { name, containerPort } of ports) {
          expect(containerPort).toBe(name === 'http' ? settings.port : settings.telemetry.metricsPort);
        }
      }
    }
    const api = serving.find(({ name }) => name === 'unbroken-api')?.pod.terminationGracePeriodSeconds ?? 0;
    const pause = 5_000;
    expect(api * 1_000).toBeGreaterThan(settings.http.drainMs + pause);
  });

  test('each deployment has a disruption budget and an autoscaler, with at least two of it', () => {
    const namesOf = (wanted: string) =>
      manifests.filter(({ kind }) => kind === wanted).map((manifest) => manifest.metadata.name);
    expect(namesOf('PodDisruptionBudget')).toEqual(namesOf('Deployment'));
    expect(namesOf('HorizontalPodAutoscaler')).toEqual(namesOf('Deployment'));
    for (const scaler of manifests.filter(({ kind }) => kind === 'HorizontalPodAutoscaler')) {
      expect(scaler['spec']).toMatchObject({ scaleTargetRef: { name: scaler.metadata.name } });
      expect(z.object({ minReplicas: z.number() }).parse(scaler['spec']).minReplicas).toBeGreaterThanOrEqual(
        2,
      );
    }
  });

  test('its settings are those that platform/config/ reads, and its config file is valid', () => {
    expect(environmentOf()['UNBROKEN_METRICS_PORT']).toBe('9464');
    const source = projectFiles('.ts')
      .filter((path) => path.startsWith('platform/config/'))
      .map(readProjectFile)
      .join('\n');
    expect(Object.keys(environmentOf()).filter((name) => !source.includes(`${name}:`))).toEqual([]);
    expect(configSchema.safeParse(parse(readProjectFile(`${FOLDER}/unbroken.config.yaml`))).success).toBe(
      true,
    );
  });
});

function environmentOf(): Record<string, string> {
  const lines = readProjectFile(`${FOLDER}/unbroken.env`).trim().split('\n');
  const entries = lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
  const { UNBROKEN_CONFIG: _, ...others } = Object.fromEntries(entries);
  return others;
}
