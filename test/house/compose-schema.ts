/**
 * The part of the Compose Specification that docker-compose.yml uses; what is not here is refused, so that a misspelt
 * key cannot pass. Source: github.com/compose-spec/compose-spec, schema/compose-spec.json.
 */
import { z } from 'zod';

const duration = z.string().regex(/^(?:\d+(?:ms|us|h|m|s))+$/, 'expected a duration such as 5s');
/** Numbers and booleans in an environment become text in ways that surprise, so they are written as text. */
const environment = z.record(z.string().regex(/^[A-Z][A-Z0-9_]*$/), z.string());
const command = z.array(z.string()).min(1);

const healthcheck = z.strictObject({
  test: z
    .array(z.string())
    .min(2)
    .refine(([kind]) => kind === 'CMD' || kind === 'CMD-SHELL', 'CMD or CMD-SHELL'),
  interval: duration,
  timeout: duration,
  retries: z.int().positive(),
  start_period: duration.optional(),
});

const dependency = z.strictObject({
  condition: z.enum(['service_started', 'service_healthy', 'service_completed_successfully']),
});

const serviceSchema = z.strictObject({
  image: z.string(),
  build: z.string().optional(),
  init: z.boolean().optional(),
  restart: z.string().regex(/^(?:always|unless-stopped|on-failure(?::\d+)?)$/),
  depends_on: z.record(z.string(), dependency).optional(),
  environment: environment.optional(),
  entrypoint: command.optional(),
  command: command.optional(),
  ports: z.array(z.string()).optional(),
  volumes: z.array(z.string()).optional(),
  healthcheck: healthcheck.optional(),
  stop_grace_period: duration.optional(),
  profiles: z.array(z.string()).optional(),
  deploy: z.strictObject({ replicas: z.int().positive() }).optional(),
});

export const composeSchema = z
  .object({
    name: z.string().regex(/^[a-z0-9][a-z0-9_-]*$/),
    services: z.record(z.string().regex(/^[a-zA-Z0-9._-]+$/), serviceSchema),
    volumes: z.record(z.string(), z.null()),
  })
  .catchall(z.never())
  .readonly();
type Compose = z.infer<typeof composeSchema>;

/** Services that run to their end, and that others wait for. */
export function oneShots({ services }: Compose): Set<string> {
  const waits = Object.values(services).flatMap(({ depends_on }) => Object.entries(depends_on ?? {}));
  return new Set(
    waits.filter(([, { condition }]) => condition === 'service_completed_successfully').map(([name]) => name),
  );
}

/** What the schema cannot say: that the services fit each other. */
export function composeFaults(compose: Compose): string[] {
  const { services, volumes } = compose;
  const ends = oneShots(compose);
  return Object.entries(services).flatMap(([name, service]) => {
    const faults: string[] = [];
    if (ends.has(name) && !service.restart.startsWith('on-failure'))
      faults.push('a one-shot restarts on-failure');
    if (!ends.has(name)) {
      if (service.healthcheck === undefined) faults.push('has no healthcheck');
      if (service.restart !== 'unless-stopped') faults.push('does not restart');
    }
    if (!/:v?\d+\.\d+(?:\.\d+)?(?:@sha256:[0-9a-f]{64})?$/.test(service.image))
      faults.push(`the image ${service.image} is not pinned`);
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      if (services[other] === undefined) faults.push(`waits for ${other}, which does not exist`);
      else if (condition === 'service_healthy' && services[other].healthcheck === undefined)
        faults.push(`waits for the health of ${other}, which has no healthcheck`);
    }
    for (const volume of service.volumes ?? []) {
      const source = /^(?:\$\{[^}]+\}|[^:]+)/.exec(volume)?.[0] ?? '';
      if (/^[a-z]/.test(source) && !Object.hasOwn(volumes, source))
        faults.push(`the volume ${source} is not declared`);
    }
    for (const port of service.ports ?? []) {
      if (!port.startsWith('127.0.0.1:')) faults.push(`publishes ${port} to the network`);
    }
    return faults.map((fault) => `${name}: ${fault}`);
  });
}
