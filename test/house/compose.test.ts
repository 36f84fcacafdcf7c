import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { configSchema } from '../../platform/config/schema.ts';
import { DYNAMIC_CONFIG } from '../../tools/services/provide-temporal.ts';
import { composeFaults, composeSchema, oneShots } from './compose-schema.ts';
import { ROOT, readJson, readProjectFile, sourceOfProgram } from './project-files.ts';

const written = readProjectFile('docker-compose.yml');

/** As compose does: anchors and merge keys resolved, extension fields (x-) gone. */
function readCompose(text: string): unknown {
  const parsed: unknown = parse(text, { merge: true });
  const entries = Object.entries(z.record(z.string(), z.unknown()).parse(parsed));
  return Object.fromEntries(entries.filter(([key]) => !key.startsWith('x-')));
}

const compose = composeSchema.parse(readCompose(written));

describe('docker-compose.yml', () => {
  test('every service is pinned, healthy or done, and comes back when it dies', () => {
    expect(composeFaults(compose)).toEqual([]);
    expect([...oneShots(compose)].sort()).toEqual([
      'front-certificate',
      'search-attributes',
      'temporal-namespace',
      'temporal-schema',
    ]);
  });

  test('it has all that a generation needs, and a second worker to take over', () => {
    const needed = ['api', 'front', 'postgresql', 'qdrant', 'redis', 'temporal', 'temporal-ui', 'worker'];
    expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(needed));
    expect(compose.services['worker']?.deploy?.replicas).toBeGreaterThanOrEqual(2);
  });

  test('Redis writes an append-only file and evicts nothing', () => {
    const command = compose.services['redis']?.command?.join(' ');
    expect(command).toContain('--appendonly yes');
    expect(command).toContain('--maxmemory-policy noeviction');
  });

  test('what holds data has a volume', () => {
    for (const name of ['postgresql', 'redis', 'qdrant'])
      expect(compose.services[name]?.volumes?.[0]).toMatch(new RegExp(`^${name}:/`));
  });

  test('the front has all that its configuration asks for', () => {
    const required = [...readProjectFile('tools/deploy/nginx.conf.template').matchAll(/\$\{(FRONT_\w+)\}/g)];
    expect(required.length).toBeGreaterThan(3);
    const provided = Object.keys(compose.services['front']?.environment ?? {});
    expect(provided).toEqual(expect.arrayContaining(required.map(([, name]) => name)));
  });

  test('no secret has a default that works everywhere', () => {
    expect(compose.services['api']?.environment?.['UNBROKEN_DEV_KEY']).toMatch(/^\$\{UNBROKEN_DEV_KEY:\?/);
  });

  test('every file that it mounts, builds or runs exists', () => {
    const paths = [...written.matchAll(/(?:\.\/|(?<=node, ))[\w./-]+\.(?:js|ya?ml|template)\b/g)].map(
      ([path]) => path,
    );
    expect(paths.length).toBeGreaterThan(4);
    const inClone = paths.map((path) => (path.endsWith('.js') ? sourceOfProgram(path) : path));
    expect(inClone.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

describe('the rest of the deployment', () => {
  test('Temporal has the settings of the one that npm start runs', () => {
    const settings: unknown = parse(readProjectFile('tools/deploy/temporal-dynamicconfig.yaml'));
    const started = Object.entries(DYNAMIC_CONFIG).map(([name, value]) => [
      name,
      [{ value: JSON.parse(value) }],
    ]);
    expect(settings).toEqual(Object.fromEntries(started));
    const { environment, volumes } = compose.services['temporal'] ?? {};
    const target = environment?.['DYNAMIC_CONFIG_FILE_PATH'];
    expect(volumes).toContain(`./tools/deploy/temporal-dynamicconfig.yaml:${target}:ro`);
  });

  test('the image has the Node of package.json, no rights of root, and a health check', () => {
    const dockerfile = readProjectFile('Dockerfile');
    const { devDependencies } = z
      .object({ devDependencies: z.object({ node: z.string() }) })
      .parse(readJson('package.json'));
    expect(dockerfile).toContain(`FROM node:${devDependencies.node}-slim`);
    expect(dockerfile.indexOf('USER node')).toBeGreaterThan(dockerfile.indexOf('COPY --from=build'));
    expect(dockerfile).toMatch(/^HEALTHCHECK /m);
    expect(dockerfile).toContain('CMD ["node", "api/main.js"]');
  });

  test('the build of the image leaves out what is private, large, or built in it', () => {
    const ignored = readProjectFile('.dockerignore').split('\n');
    expect(ignored).toEqual(
      expect.arrayContaining(['.git', '.env', '.unbroken', 'node_modules', 'clients/web/dist', 'docs/dist']),
    );
  });

  test('the example of a config is a config', () => {
    const example = configSchema.parse(parse(readProjectFile('unbroken.config.example.yaml')));
    expect(Object.keys(example.routes)).toEqual(['careful']);
  });
});

describe('the checks can fail', () => {
  const service = {
    image: 'redis:7.4.7',
    restart: 'unless-stopped',
    healthcheck: { test: ['CMD', 'true'], interval: '5s', timeout: '5s', retries: 3 },
  };
  const withService = (change: object) =>
    composeSchema.parse({ name: 'a', services: { a: { ...service, ...change } }, volumes: {} });

  test('a whole service has no fault', () => {
    expect(composeFaults(withService({}))).toEqual([]);
  });

  test.each([
    ['no healthcheck', { healthcheck: undefined }],
    ['an image without a version', { image: 'redis' }],
    ['an image that moves', { image: 'redis:latest' }],
    ['a restart that gives up', { restart: 'on-failure' }],
    ['a service that does not exist', { depends_on: { b: { condition: 'service_started' } } }],
    ['a volume that is not declared', { volumes: ['data:/data'] }],
    ['a port open to the network', { ports: ['6379:6379'] }],
  ])('on %s', (_name, change) => {
    expect(composeFaults(withService(change))).toHaveLength(1);
  });

  test.each([
    ['a misspelt key', { heathcheck: {} }],
    ['a duration without a unit', { healthcheck: { ...service.healthcheck, interval: '5' } }],
    ['a number in the environment', { environment: { PORT: 1 } }],
    ['a restart that does not exist', { restart: 'sometimes' }],
  ])('on %s', (_name, change) => {
    expect(() => withService(change)).toThrow();
  });
});
