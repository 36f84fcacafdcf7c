/**
 * Reads which version of a Worker Deployment this worker is. Temporal's Worker Controller for Kubernetes sets these
 * variables in its pods.
 */
import { z } from 'zod';

/** Temporal joins name and build id by a colon; earlier releases used a point. */
const nameSchema = z
  .string()
  .max(200)
  .regex(/^(?!__)[^:.\s]+$/, 'expected a name without colon, point or space, such as unbroken');
const buildIdSchema = z
  .string()
  .max(200)
  .regex(/^[^:\s]+$/, 'expected an id without colon or space, such as a version or the hash of a commit');

export const deploymentEnvironment = {
  TEMPORAL_DEPLOYMENT_NAME: nameSchema.default('unbroken'),
  TEMPORAL_WORKER_BUILD_ID: buildIdSchema.optional(),
};

export interface DeploymentSettings {
  readonly name: string;
  /** Shared by all workers that run the same code, and by no others; undefined: versions are not distinguished. */
  readonly buildId: string | undefined;
}

export function deploymentSettings(
  env: z.output<z.ZodObject<typeof deploymentEnvironment>>,
): DeploymentSettings {
  return { name: env.TEMPORAL_DEPLOYMENT_NAME, buildId: env.TEMPORAL_WORKER_BUILD_ID };
}
