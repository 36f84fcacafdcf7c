/** The logs of an API or worker process, as the config says: in Redis alone, or with an archive behind it. */
import type { Config } from '../../platform/config/load-config.ts';
import type { ObjectStore } from '../../platform/object-store/object-store.ts';
import { createEndedLogs, type EndedLogs } from '../streaming/ended-logs.ts';
import type { EventLog, LogListener } from '../streaming/event-log.ts';
import { LogPacker, type PackRedis } from '../streaming/log-packer.ts';
import { type LogRedis, RedisEventLog } from '../streaming/redis-event-log.ts';
import type { StoredBytes } from '../streaming/stored-bytes.ts';
import { createObjectCodec } from './archived-object.ts';
import { ArchivingEventLog } from './archiving-event-log.ts';
import { DueLogs, type DueRedis } from './due-logs.ts';
import { LedgerArchive } from './ledger-archive.ts';
import { LogArchive } from './log-archive.ts';
import { type ArchiverRedis, LogArchiver } from './log-archiver.ts';

interface LogParts {
  readonly redis: LogRedis & PackRedis & DueRedis & ArchiverRedis;
  /** null: the config names none, or no archive. */
  readonly store: ObjectStore | null;
  readonly stored: StoredBytes;
  /** Observes the appends of this process. */
  readonly listen: (parts: { readonly packer: LogPacker; readonly ended: EndedLogs }) => LogListener;
  /** Receives why a log was not packed or archived: it stays as it is. */
  readonly onError: (error: unknown) => void;
}

interface Logs {
  readonly log: EventLog;
  readonly ended: EndedLogs;
  readonly packer: LogPacker;
  /** null: there is no archive. */
  readonly archive: {
    readonly logs: LogArchive;
    readonly archiver: LogArchiver;
    readonly due: DueLogs;
    readonly ledger: LedgerArchive;
  } | null;
}

export function createLogs(config: Config, { redis, store, stored, listen, onError }: LogParts): Logs {
  const retentionMs = config.retention.logMs;
  const settings = store === null ? undefined : config.archive;
  const packer = new LogPacker(redis, onError);
  const due = settings === undefined ? null : new DueLogs(redis, settings.afterMs);
  const ended = createEndedLogs(packer, due);
  const log = new RedisEventLog(redis, {
    retentionMs,
    frameMs: config.limits.frameMs,
    listener: listen({ packer, ended }),
  });
  if (settings === undefined || store === null || due === null) return { log, ended, packer, archive: null };
  const codec = createObjectCodec(config.encryptionKeys);
  const logs = new LogArchive(store, codec);
  const { keysMs } = settings;
  return {
    log: new ArchivingEventLog({ redis, log, archive: logs, retentionMs }),
    ended,
    packer,
    archive: {
      logs,
      due,
      archiver: new LogArchiver({ redis, archive: logs, due, stored, retentionMs, keysMs, onError }),
      ledger: new LedgerArchive({
        redis,
        store,
        codec,
        afterDays: settings.entriesAfterDays,
        keepDays: config.budgets.keepEntriesDays,
        onError,
      }),
    },
  };
}
