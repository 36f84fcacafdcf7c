/**
 * The event log with an archive behind it. Redis is asked first, and the archive only for a log that Redis does not
 * have: a log is written there before it is removed here, so one of the two has it at every moment. A running log costs
 * nothing more.
 */
import type { EventBody, GenerationEvent } from '../../contracts/events.ts';
import type { GenerationInput } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { runScript, type ScriptRedis } from '../../platform/redis/lua-script.ts';
import {
  type CreatedLog,
  type Epoch,
  type EventLog,
  type LogCreation,
  type LogHead,
  LogRefused,
  type LogWriter,
  type OnceOutcome,
  type OpenedLog,
  type Withheld,
} from '../streaming/event-log.ts';
import type { LogFacts } from '../streaming/log-facts.ts';
import type { LogView } from '../streaming/log-view.ts';
import { readMerged } from '../streaming/read-merged.ts';
import type { RedisEventLog } from '../streaming/redis-event-log.ts';
import { NOTE_ERASED } from './archive-scripts.ts';
import { type ArchivedLog, parseInput } from './archived-log.ts';
import type { LogArchive } from './log-archive.ts';
import { REMEMBERED_MS } from './recent-logs.ts';

interface ArchivingLogOptions {
  readonly redis: ScriptRedis;
  readonly log: RedisEventLog;
  readonly archive: LogArchive;
  /** How long an ended log is kept, in Redis and in the archive together. */
  readonly retentionMs: number;
}

export class ArchivingEventLog implements EventLog {
  readonly #redis: ScriptRedis;
  readonly #log: RedisEventLog;
  readonly #archive: LogArchive;
  readonly #retentionMs: number;

  constructor({ redis, log, archive, retentionMs }: ArchivingLogOptions) {
    this.#redis = redis;
    this.#log = log;
    this.#archive = archive;
    this.#retentionMs = retentionMs;
  }

  create(creation: LogCreation): Promise<CreatedLog> {
    return this.#log.create(creation);
  }

  known(generationId: string): Promise<LogHead | null> {
    return this.#log.known(generationId);
  }

  async head(generationId: string): Promise<LogHead | null> {
    return (await this.view(generationId))?.head ?? null;
  }

  async view(generationId: string): Promise<{ head: LogHead; view: LogView | null } | null> {
    const here = await this.#log.view(generationId);
    if (here !== null && !here.head.isArchived) return here;
    const archived = await this.#archive.find(generationId, { isFresh: here?.head.erased === true });
    return archived === null ? null : { head: archived.head, view: archived.view };
  }

  async facts(generationId: string): Promise<LogFacts | null> {
    const [facts, archived] = await Promise.all([
      this.#log.facts(generationId),
      this.#findElsewhere(generationId),
    ]);
    return archived === 'here' ? facts : (archived?.facts ?? null);
  }

  async read(generationId: string, after: number, maxEntries?: number): Promise<GenerationEvent[]> {
    // In this order: a log that is still here when the second one runs was here for the first.
    const [events, place] = await Promise.all([
      this.#log.read(generationId, after, maxEntries),
      this.#log.placeOf(generationId),
    ]);
    if (events.length > 0 || place === 'here') return events;
    const archived = await this.#archive.find(generationId, { isFresh: place === 'erased-elsewhere' });
    return archived?.read(after, maxEntries) ?? [];
  }

  readMerged(generationId: string, after = -1): Promise<GenerationEvent[]> {
    return readMerged((cursor) => this.read(generationId, cursor, LIMITS.eventsPerRead), after);
  }

  async readInput(generationId: string): Promise<GenerationInput | null> {
    const here = await this.#log.readInput(generationId);
    if (here !== null) return here;
    const archived = await this.#findElsewhere(generationId);
    if (archived === 'here' || archived === null) return null;
    const json = await this.#archive.readInput(archived);
    return json === null ? null : parseInput(json);
  }

  followers(generationId: string): Promise<number> {
    return this.#log.followers(generationId);
  }

  async open(generationId: string, epoch: Epoch, onCancelRequest?: () => void): Promise<OpenedLog> {
    const opened = await ifNotMissing(this.#log.open(generationId, epoch, onCancelRequest));
    if (opened !== null && !opened.head.isArchived) return opened;
    const archived = await this.#archive.find(generationId, { isFresh: opened?.head.erased === true });
    if (archived === null) throw new LogRefused('missing', generationId);
    return { head: archived.head, events: archived.read(-1), writer: new EndedLogWriter(archived.head) };
  }

  openFresh(
    generationId: string,
    epoch: number,
    events: readonly EventBody[],
    onCancelRequest?: () => void,
  ): Promise<LogWriter | null> {
    return this.#log.openFresh(generationId, epoch, events, onCancelRequest);
  }

  requestCancel(generationId: string): Promise<void> {
    return this.#log.requestCancel(generationId);
  }

  async appendOnce(
    generationId: string,
    step: string,
    events: readonly EventBody[],
    when?: 'unopened' | 'uncancelled',
  ): Promise<OnceOutcome> {
    const outcome = await ifNotMissing(this.#log.appendOnce(generationId, step, events, when));
    if (outcome !== null) return outcome;
    const archived = await this.#archive.find(generationId);
    if (archived === null) throw new LogRefused('missing', generationId);
    return archived.hasStep(step) ? 'already-appended' : 'ended';
  }

  async erase(generationId: string): Promise<'now' | 'at-end'> {
    const erased = await this.#log.erase(generationId);
    // It may have been archived before the log was erased here.
    if ((await this.#log.placeOf(generationId)) === 'here') return erased;
    const archived = await this.#archive.find(generationId, { isFresh: true });
    if (archived === null) return erased;
    await this.#noteErased(archived);
    await this.#archive.erase(archived);
    return 'now';
  }

  async disown(generationId: string): Promise<void> {
    if ((await this.#log.placeOf(generationId)) !== 'here') await this.#archive.remove(generationId);
    await this.#log.disown(generationId);
  }

  async keepNoLonger(generationId: string): Promise<void> {
    await this.#log.keepNoLonger(generationId);
    const archived = await this.#archivedAlone(generationId);
    if (archived?.stored.fields['keptMs'] === undefined) return;
    const expiresAt = Math.min(archived.stored.expiresAt, Date.now() + this.#retentionMs);
    await this.#archive.change(archived, { expiresAt });
  }

  async withhold(generationId: string): Promise<Withheld> {
    const here = await this.#log.withhold(generationId);
    const archived = await this.#archivedAlone(generationId);
    if (archived === null) return here;
    await this.#archive.change(archived, { fields: { withheld: '1' } });
    return { mayBeStored: archived.stored.fields['stored'] === '1' };
  }

  async markStored(generationId: string): Promise<boolean> {
    const isNoted = await this.#log.markStored(generationId);
    if ((await this.#log.placeOf(generationId)) === 'here') return isNoted;
    const archived = await this.#archive.find(generationId, { isFresh: true });
    if (archived === null || archived.head.erased) return false;
    if (archived.stored.fields['withheld'] !== undefined) return false;
    await this.#archive.change(archived, { fields: { stored: '1' } });
    return true;
  }

  /** `here`: Redis has the log. */
  async #findElsewhere(generationId: string): Promise<ArchivedLog | 'here' | null> {
    const place = await this.#log.placeOf(generationId);
    return place === 'here'
      ? place
      : this.#archive.find(generationId, { isFresh: place === 'erased-elsewhere' });
  }

  /** The object itself, to change it; null if Redis has the log. */
  async #archivedAlone(generationId: string): Promise<ArchivedLog | null> {
    const place = await this.#log.placeOf(generationId);
    return place === 'here' ? null : this.#archive.find(generationId, { isFresh: true });
  }

  /** Before the object is replaced: another process may remember it, and looks again if Redis says so. */
  async #noteErased({ stored: { generationId, fields } }: ArchivedLog): Promise<void> {
    const names = [
      'tenant',
      'user',
      'route',
      'requestHash',
      'status',
      'next',
      'epoch',
      'createdAt',
      'endedAt',
    ];
    const kept = names.flatMap((name) => {
      const value = fields[name];
      return value === undefined ? [] : [name, value];
    });
    const args = [2 * REMEMBERED_MS, ...kept, 'metadata', '{}', 'archived', '1'];
    await runScript(this.#redis, NOTE_ERASED, [REDIS_KEYS.logMeta(generationId)], args);
  }
}

/** An archived log has ended, so nobody writes it. */
class EndedLogWriter implements LogWriter {
  readonly opener = '';
  readonly nextSeq: number;

  constructor({ nextSeq }: LogHead) {
    this.nextSeq = nextSeq;
  }

  async write(): Promise<void> {
    throw new LogRefused('ended', `log at ${this.nextSeq}`);
  }

  async flush(): Promise<void> {
    // Nothing was written.
  }
}

async function ifNotMissing<Answer>(asking: Promise<Answer>): Promise<Answer | null> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof LogRefused && error.reason === 'missing') return null;
    throw error;
  }
}
