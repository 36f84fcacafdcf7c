/**
 * Ends logs that would otherwise stay silent for ever: Redis lost their tail with the end, or an operator terminated
 * their run. When a followed log is silent, this asks Temporal whether its run has ended.
 */
import type { Logger } from 'pino';
import { endIfRunEnded, type OpenRuns } from './end-stranded.ts';

/** A log is looked up at most once in this time. */
const PAUSE_MS = 30_000;

interface SilenceWatchParts extends OpenRuns {
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
    // A log without a run, or with that of an earlier log, waits for its run or for the client to repeat the request.
    endIfRunEnded(this.#parts, generationId).catch((error: unknown) => {
      this.#parts.logger.warn({ err: error, generationId }, 'the state of a silent generation is unknown');
    });
  }
}
