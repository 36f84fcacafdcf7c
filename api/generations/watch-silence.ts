/**
 * Ends logs that would otherwise stay silent for ever: Redis lost their tail with the end, or an operator terminated
 * their run. When a followed log is silent, this asks Temporal whether its run has ended.
 */
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { FlightMembers } from '../../engine/cache/flights.ts';
import type { EventLog } from '../../engine/streaming/event-log.ts';
import { endLog } from './end-log.ts';
import { ifRunExists } from './if-run-exists.ts';
import { isOfEarlierLog } from './start-run.ts';

/** A log is looked up at most once in this time. */
const PAUSE_MS = 30_000;
const TEMPORAL_TIMEOUT_MS = 5_000;

interface SilenceWatchParts {
  readonly log: EventLog;
  readonly flightMembers: FlightMembers;
  readonly temporal: Client;
  readonly logger: Logger;
}

export class SilenceWatch {
  readonly #parts: SilenceWatchParts;
  /** Generations that were looked up within the last `PAUSE_MS`. */
  readonly #paused = new Set<string>();

  constructor(parts: SilenceWatchParts) {
    this.#parts = parts;
  }

  /** Reports that a followed log is silent. Never throws. */
  report(generationId: string): void {
    if (this.#paused.has(generationId)) return;
    this.#paused.add(generationId);
    setTimeout(() => this.#paused.delete(generationId), PAUSE_MS).unref();
    this.#endIfRunEnded(generationId).catch((error: unknown) => {
      this.#parts.logger.warn({ err: error, generationId }, 'the state of a silent generation is unknown');
    });
  }

  async #endIfRunEnded(generationId: string): Promise<void> {
    const { log, flightMembers, temporal } = this.#parts;
    const head = await log.head(generationId);
    if (head === null) return;
    const deadline = Date.now() + TEMPORAL_TIMEOUT_MS;
    const run = await ifRunExists(temporal.workflow, head, (handle) =>
      temporal.connection.withDeadline(deadline, () => handle.describe()),
    );
    // A log without a run, or with that of an earlier log, waits for its run or for the client to repeat the request.
    if (run === null || run.status.name === 'RUNNING' || isOfEarlierLog(run, head)) return;
    // A run writes the end of its log before it ends, so this log has lost its end.
    await endLog(
      { log, flightMembers },
      generationId,
      run.status.name === 'COMPLETED'
        ? { code: 'log_tail_lost', message: 'Redis lost the end of this answer.' }
        : { code: 'internal', message: 'The run of this generation was terminated.' },
    );
  }
}
