/** The options of the vendors' SDKs that OpenAI and Anthropic have in common. */
import { LIMITS } from '../../contracts/limits.ts';
import type { Link } from './http-link.ts';

export function clientOptions({ apiKey, fetch }: Link, baseUrl?: string) {
  return {
    apiKey,
    fetch,
    // Temporal owns retries.
    maxRetries: 0,
    // We report its errors; its own log could show the prompt.
    logLevel: 'off' as const,
    // Bounds the wait for the headers of the answer. `readInTime` bounds silence, and the workflow the generation.
    timeout: LIMITS.vendorCallMs,
    ...(baseUrl === undefined ? {} : { baseURL: baseUrl }),
  };
}

/** OpenAI's SDK would read these from the environment, and send them to other vendors too. */
export const NO_ENVIRONMENT = { organization: null, project: null } as const;
