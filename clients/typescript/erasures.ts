/** The part of the client that erases: a generation, a job, or everything of a user. Every call may be repeated. */
import type { DeletedGeneration, ErasureView } from '../../contracts/erasure.ts';
import { wait } from './backoff.ts';

export interface ErasuresClient {
  /** Everything that the user has sent until now: with a key of the user, or of an admin. */
  user(user: string): Promise<ErasureView>;
  /** A job with its generations. */
  job(jobId: string): Promise<ErasureView>;
  generation(generationId: string): Promise<DeletedGeneration>;
  /** The receipt. */
  get(erasureId: string): Promise<ErasureView>;
  list(options?: {
    readonly limit?: number | undefined;
    readonly user?: string | undefined;
  }): Promise<ErasureView[]>;
  /** Resolves with the receipt once it is complete. */
  wait(erasureId: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<ErasureView>;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export function createErasuresClient(
  call: <Answer>(request: { readonly method: 'GET' | 'DELETE'; readonly path: string }) => Promise<Answer>,
): ErasuresClient {
  const remove = <Answer>(path: string) => call<Answer>({ method: 'DELETE', path });
  const client: ErasuresClient = {
    user: (user) => remove(`/v1/users/${encodeURIComponent(user)}/data`),
    job: (jobId) => remove(`/v1/jobs/${encodeURIComponent(jobId)}`),
    generation: (generationId) => remove(`/v1/generations/${encodeURIComponent(generationId)}`),
    get: (id) => call({ method: 'GET', path: `/v1/erasures/${encodeURIComponent(id)}` }),
    list: async ({ limit = 20, user } = {}) => {
      const query = user === undefined ? '' : `&user=${encodeURIComponent(user)}`;
      const path = `/v1/erasures?limit=${limit}${query}`;
      return (await call<{ data: ErasureView[] }>({ method: 'GET', path })).data;
    },
    wait: async (id, { signal } = {}) => {
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
        const receipt = await client.get(id);
        if (receipt.status === 'completed') return receipt;
        await wait(pauseMs, signal);
      }
    },
  };
  return client;
}
