/**
 * Finds out whether a generation without a log has ever run: Temporal keeps runs longer than Redis keeps logs. A
 * look-up is expensive, so it skips ids that cannot be ours, and a negative answer is cached for a while.
 */
import { workflowId } from '../../contracts/names.ts';
import { BoundedMap } from '../../platform/bounded-map.ts';
import { SEARCH_KEYS } from '../../platform/temporal/search-keys.ts';
import type { Caller } from '../access/api-keys.ts';
import { ifRunExists, type WorkflowHandles } from './if-run-exists.ts';

const ID = /^gen_[0-9a-f]{32}$/;
const ABSENT_MS = 10_000;
const MAX_ABSENT = 10_000;

export class RunLookup {
  readonly #workflows: WorkflowHandles;
  /** Workflow ids without a run, each with the time at which Temporal is asked again. */
  readonly #absent = new BoundedMap<string, number>(MAX_ABSENT);

  constructor({ workflow }: { readonly workflow: WorkflowHandles }) {
    this.#workflows = workflow;
  }

  /** @throws service_unavailable */
  async has({ tenant, user, scopes }: Caller, generationId: string): Promise<boolean> {
    if (!ID.test(generationId)) return false;
    const id = workflowId(tenant, generationId);
    if ((this.#absent.get(id) ?? 0) > performance.now()) return false;
    const run = await ifRunExists(this.#workflows, { tenant, generationId }, (handle) => handle.describe());
    if (run === null) {
      this.#absent.set(id, performance.now() + ABSENT_MS);
      return false;
    }
    return scopes.includes('any-user') || run.typedSearchAttributes.get(SEARCH_KEYS.user) === user;
  }
}
