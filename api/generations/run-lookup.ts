/**
 * Whether a generation without a log has ever run: Temporal knows longer than Redis does. Asking it is dear, so an id
 * that cannot be one of ours is not asked for, and that there is no run is remembered for a while.
 */
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { UnbrokenError } from '../../contracts/errors.ts';
import { workflowId } from '../../contracts/names.ts';
import { SEARCH_KEYS } from '../../platform/temporal/search-keys.ts';
import type { Caller } from '../access/api-keys.ts';

const ID = /^gen_[0-9a-f]{32}$/;
const REMEMBER_MS = 10_000;
const REMEMBERED = 10_000;

export class RunLookup {
  readonly #workflow: Pick<Client['workflow'], 'getHandle'>;
  /** Workflow ids without a run, each with the time until which that is believed. The oldest comes first. */
  readonly #absent = new Map<string, number>();

  constructor({ workflow }: { readonly workflow: Pick<Client['workflow'], 'getHandle'> }) {
    this.#workflow = workflow;
  }

  /** @throws service_unavailable */
  async has({ tenant, user, scopes }: Caller, generationId: string): Promise<boolean> {
    if (!ID.test(generationId)) return false;
    const id = workflowId(tenant, generationId);
    if ((this.#absent.get(id) ?? 0) > performance.now()) return false;
    try {
      const run = await this.#workflow.getHandle(id).describe();
      return scopes.includes('any-user') || run.typedSearchAttributes.get(SEARCH_KEYS.user) === user;
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) {
        throw new UnbrokenError('service_unavailable', 'Temporal does not answer.', { cause: error });
      }
      this.#remember(id);
      return false;
    }
  }

  #remember(id: string): void {
    this.#absent.delete(id);
    this.#absent.set(id, performance.now() + REMEMBER_MS);
    const [oldest] = this.#absent.keys();
    if (this.#absent.size > REMEMBERED && oldest !== undefined) this.#absent.delete(oldest);
  }
}
