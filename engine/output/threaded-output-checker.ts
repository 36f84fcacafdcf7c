/**
 * Checks answers in threads. What a check costs depends on the schema, which its sender chooses: a tenant whose check
 * took too long is checked in a second thread for a while, so that it delays only others like it.
 */
import { z } from 'zod';
import { LIMITS } from '../../contracts/limits.ts';
import { BoundedMap } from '../../platform/bounded-map.ts';
import { ThreadRunner } from '../../platform/threads/thread-runner.ts';
import type { OutputChecker, OutputVerdict } from './output-checker.ts';

export const checkRequestSchema = z.object({
  /** null: any JSON fits. */
  schemaJson: z.string().nullable(),
  /** null: the schema is only compiled. */
  text: z.string().nullable(),
});
export type CheckRequest = z.infer<typeof checkRequestSchema>;

const verdictSchema = z.discriminatedUnion('result', [
  z.object({ result: z.literal('fits') }),
  z.object({
    result: z.literal('unfit'),
    faults: z.array(z.object({ path: z.string(), message: z.string() })),
  }),
  z.object({ result: z.literal('unchecked'), reason: z.string() }),
]);

const MOST_WAITING = 1_000;
const SLOW_TENANTS = 10_000;

interface CheckLimits {
  readonly runMs: number;
  readonly slowRunMs: number;
  readonly slowForMs: number;
}

export class ThreadedOutputChecker implements OutputChecker {
  readonly #limits: CheckLimits;
  readonly #thread = createThread();
  readonly #slowThread = createThread();
  /** Tenants of the second thread, and until when. */
  readonly #slowUntilMs = new BoundedMap<string, number>(SLOW_TENANTS);
  #isClosed = false;

  constructor(limits: Partial<CheckLimits> = {}) {
    this.#limits = {
      runMs: LIMITS.outputCheckMs,
      slowRunMs: LIMITS.slowOutputCheckMs,
      slowForMs: LIMITS.slowOutputTenantMs,
      ...limits,
    };
  }

  check(tenant: string, { schema }: Parameters<OutputChecker['check']>[1], text: string) {
    return this.#run(tenant, { schemaJson: schema === undefined ? null : JSON.stringify(schema), text });
  }

  async faultOfSchema(tenant: string, schema: Readonly<Record<string, unknown>>): Promise<string | null> {
    const verdict = await this.#run(tenant, { schemaJson: JSON.stringify(schema), text: null });
    return verdict.result === 'unchecked' ? verdict.reason : null;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#thread.close(), this.#slowThread.close()]);
  }

  async #run(tenant: string, request: CheckRequest): Promise<OutputVerdict> {
    const { runMs, slowRunMs, slowForMs } = this.#limits;
    if ((this.#slowUntilMs.get(tenant) ?? 0) < Date.now()) {
      try {
        return verdictSchema.parse(await this.#thread.run(request, { runMs, turn: tenant }));
      } catch (error) {
        if (this.#isClosed) throw error;
        this.#slowUntilMs.set(tenant, Date.now() + slowForMs);
      }
    }
    try {
      return verdictSchema.parse(await this.#slowThread.run(request, { runMs: slowRunMs, turn: tenant }));
    } catch (error) {
      if (this.#isClosed) throw error;
      return { result: 'unchecked', reason: error instanceof Error ? error.message : String(error) };
    }
  }
}

function createThread(): ThreadRunner {
  return new ThreadRunner({
    file: new URL('./schema-thread.ts', import.meta.url),
    what: 'the check of an answer against its schema',
    mostWaiting: MOST_WAITING,
    mostHeapMb: LIMITS.outputCheckHeapMb,
  });
}
