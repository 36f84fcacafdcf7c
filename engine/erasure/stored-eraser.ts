/** What an erasure does in each of its stages. Every stage may be interrupted at any moment, and repeated. */
import type { Remains } from '../../contracts/erasure.ts';
import type { ErasureStage } from '../../contracts/erasure-stages.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { LogArchive } from '../archive/log-archive.ts';
import type { UserAnswers } from '../cache/answer-cache.ts';
import type { Complaints } from '../cache/complaints.ts';
import type { StoredSchedule } from '../jobs/schedule-store.ts';
import type { ErasedRuns } from './erased-runs.ts';
import type { Eraser, ErasureScope, Erasures, LeftKind, StageProgress, StageResult } from './erasures.ts';
import {
  type ErasedStores,
  eraseOneDelivery,
  eraseOneGeneration,
  eraseOneJob,
  keyErasers,
} from './key-erasers.ts';
import { sweepKeys } from './redis-sweep.ts';

interface EraserParts extends Omit<ErasedStores, 'runs'> {
  readonly runs: ErasedRuns;
  readonly erasures: Erasures;
  readonly answers: UserAnswers;
  readonly complaints: Pick<Complaints, 'ofUser' | 'delete'>;
  readonly schedules: { list(tenant: string): Promise<readonly StoredSchedule[]> };
  /** Ends a schedule at Temporal, and deletes what it starts. Repeatable. */
  readonly deleteSchedule: (schedule: StoredSchedule) => Promise<void>;
  /** null: there is no archive. */
  readonly archive: Pick<LogArchive, 'ofUser' | 'find'> | null;
}

const ERASED_AT_ONCE = 16;

const LEFT: Readonly<Record<LeftKind, string>> = {
  runs: 'Temporal does not let us delete histories, which hold ids and no texts; they expire.',
  archive:
    'Parts of the archive have a key that is not in UNBROKEN_ENCRYPTION_KEYS; nobody can read them without it.',
};

export class StoredEraser implements Eraser {
  readonly #parts: EraserParts;

  constructor(parts: EraserParts) {
    this.#parts = parts;
  }

  run(stage: ErasureStage, scope: ErasureScope, progress: StageProgress): Promise<StageResult> {
    switch (stage) {
      case 'stop':
        return this.#stop(scope);
      case 'answers':
        return this.#answers(scope);
      case 'stored':
        return scope.jobId === null ? this.#stored(scope, progress) : this.#job(scope, scope.jobId, progress);
      case 'archive':
      case 'moved':
        return this.#archive(scope, progress);
      case 'runs':
        return this.#runs(scope, progress);
    }
  }

  async remainsOf(scope: ErasureScope): Promise<readonly Remains[]> {
    const { erasures } = this.#parts;
    const remains: Remains[] = [
      {
        kind: 'ledger',
        count: null,
        reason: 'What was spent stays in the ledger: ids, tokens and money, no texts.',
        until: null,
      },
    ];
    const keysLeft = scope.jobId === null ? await this.#countKeys(scope) : 0;
    if (keysLeft > 0) {
      const reason = 'A key is a right and not data; an admin revokes it: DELETE /v1/keys/:id.';
      remains.push({ kind: 'apiKeys', count: keysLeft, reason, until: null });
    }
    for (const [kind, reason] of Object.entries(LEFT) as [LeftKind, string][]) {
      const { count, untilMs } = await erasures.left(scope, kind);
      if (count > 0) remains.push({ kind, count, reason, until: untilMs });
    }
    return remains;
  }

  async #countKeys({ tenant, user }: ErasureScope): Promise<number> {
    const { redis } = this.#parts;
    const ids = await redis.zRange(REDIS_KEYS.apiKeysOf(tenant), 0, -1);
    const users = await Promise.all(ids.map((id) => redis.hmGet(REDIS_KEYS.apiKey(id), ['user'])));
    return users.filter(([of]) => of === user).length;
  }

  /** First the schedules, so that no tick starts anything; then what runs. */
  async #stop(scope: ErasureScope): Promise<StageResult> {
    const { erasures, schedules, deleteSchedule, runs } = this.#parts;
    const found = erasures.found(scope);
    if (scope.jobId !== null) {
      const isOver = await runs.end({ tenant: scope.tenant, generationId: scope.jobId });
      const pending = isOver ? 0 : 1;
      await erasures.noteWaiting(scope, pending);
      return { found: 0, pending };
    }
    for (const schedule of await schedules.list(scope.tenant)) {
      const { owner, createdAt, scheduleId } = schedule;
      if (owner.user !== scope.user || createdAt > scope.beforeMs) continue;
      await found.add('schedules', [scheduleId]);
      await deleteSchedule(schedule);
    }
    const pending = await runs.stop(scope, found);
    await erasures.noteWaiting(scope, pending);
    return { found: 0, pending };
  }

  async #answers(scope: ErasureScope): Promise<StageResult> {
    if (scope.jobId !== null) return { found: 0, pending: 0 };
    const { erasures, answers, complaints } = this.#parts;
    const { tenant, user, beforeMs: untilMs } = scope;
    const found = erasures.found(scope);
    const erased = await answers.erase({ tenant, user, untilMs }, async (ids) => {
      await found.add('cachedAnswers', ids);
    });
    const complained = await complaints.ofUser(tenant, user, untilMs);
    await found.add('complaints', complained);
    for (const generationId of complained) await complaints.delete({ tenant, generationId });
    return { found: erased + complained.length, pending: 0 };
  }

  async #stored(scope: ErasureScope, progress: StageProgress): Promise<StageResult> {
    const { erasures, redis } = this.#parts;
    const erasers = Object.values(keyErasers(this.#parts));
    return sweepKeys({ redis, erasers, scope, found: erasures.found(scope) }, progress);
  }

  /** A job is known by its id, and its generations by its events: nothing is searched. */
  async #job(scope: ErasureScope, jobId: string, { report, signal }: StageProgress): Promise<StageResult> {
    const { erasures } = this.#parts;
    const found = erasures.found(scope);
    let { pending } = await eraseOneJob(this.#parts, scope, found, jobId);
    const ids = await found.all('generations');
    for (let first = 0; first < ids.length; first += ERASED_AT_ONCE) {
      signal.throwIfAborted();
      const some = ids.slice(first, first + ERASED_AT_ONCE);
      const results = await Promise.all(some.map((id) => eraseOneGeneration(this.#parts, scope, found, id)));
      for (const result of results) pending += result.pending;
      report({ at: '', found: 0, pending });
    }
    for (const id of await this.#parts.deliveries.ids(scope.tenant)) {
      await eraseOneDelivery(this.#parts, scope, found, id);
    }
    return { found: 0, pending };
  }

  async #archive(scope: ErasureScope, { from, report, signal }: StageProgress): Promise<StageResult> {
    const { archive, erasures } = this.#parts;
    if (archive === null || scope.jobId !== null) return { found: 0, pending: 0 };
    let pending = from?.pending ?? 0;
    let unreadable = from?.unreadable ?? 0;
    for (let at: string | null = from?.at ?? null; ; ) {
      signal.throwIfAborted();
      const page = await archive.ofUser(scope, at);
      for (let first = 0; first < page.ids.length; first += ERASED_AT_ONCE) {
        const some = page.ids.slice(first, first + ERASED_AT_ONCE);
        for (const result of await Promise.all(some.map((id) => this.#archived(scope, id)))) {
          if (result === 'unreadable') unreadable += 1;
          else pending += result.pending;
        }
      }
      unreadable += page.unreadable;
      if (page.next === null) break;
      at = page.next;
      report({ at, found: 0, pending, unreadable });
    }
    await erasures.noteLeft(scope, 'archive', { count: unreadable, untilMs: null });
    return { found: 0, pending };
  }

  async #archived(scope: ErasureScope, generationId: string): Promise<StageResult | 'unreadable'> {
    const { archive, erasures } = this.#parts;
    const log = await archive?.find(generationId, { isFresh: true }).catch((error: unknown) => {
      // The store does not answer; a later attempt finds the log.
      if (error instanceof UnbrokenError) throw error;
      return 'unreadable' as const;
    });
    if (log === 'unreadable') return log;
    const isOwn = log?.head.tenant === scope.tenant && log.head.user === scope.user;
    if (!isOwn || log.head.createdAt > scope.beforeMs) return { found: 0, pending: 0 };
    return eraseOneGeneration(this.#parts, scope, erasures.found(scope), generationId);
  }

  async #runs(scope: ErasureScope, progress: StageProgress): Promise<StageResult> {
    const { erasures, runs } = this.#parts;
    const { left, ...result } = await runs.deleteHistories(scope, erasures.found(scope), progress);
    await erasures.noteLeft(scope, 'runs', left);
    // What Temporal does not delete would be found for ever.
    return { found: 0, pending: result.pending };
  }
}
