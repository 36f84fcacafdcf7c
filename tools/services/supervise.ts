/** Keeps one process running: when it dies, it is started again after a wait that grows, and a line says so. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Report, reasonOf, seconds } from './programs/service-error.js';
import type { RunningProcess } from './run-process.ts';

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;
/** Deaths in a row, each soon after the start, before we give up. */
const EARLY_DEATHS = 20;
const EARLY_MS = 30_000;

export interface Supervised {
  /** Of the process that runs now. */
  readonly pid: number;
  /** Resolves with the reason when the process dies so often that it is given up. */
  readonly givenUp: Promise<string>;
  stop(): Promise<void>;
}

/** `start` must end what it began when it throws. The first start is the caller's: its error is not retried. */
export function supervise(
  name: string,
  first: RunningProcess,
  start: () => Promise<RunningProcess>,
  report: Report,
): Supervised {
  let current = first;
  const stopping = new AbortController();
  const watch = async (): Promise<string> => {
    let deaths = 0;
    let startedAt = Date.now();
    let reason = await current.exited;
    while (!stopping.signal.aborted) {
      await current.stop();
      deaths = Date.now() - startedAt > EARLY_MS ? 1 : deaths + 1;
      if (deaths > EARLY_DEATHS) return `${name} died ${deaths} times in a row (${reason})`;
      report(`${name}: died (${reason}); starting it again`);
      await sleep(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (deaths - 1)), undefined, {
        signal: stopping.signal,
      }).catch(() => 'stopped');
      if (stopping.signal.aborted) break;
      startedAt = Date.now();
      try {
        current = await start();
        report(`${name}: runs again after ${seconds(startedAt)} (pid ${current.pid})`);
        reason = await current.exited;
      } catch (error) {
        reason = reasonOf(error);
      }
    }
    await current.stop();
    return 'stopped';
  };
  const watching = watch();
  return {
    get pid() {
      return current.pid;
    },
    givenUp: watching.then((reason) =>
      stopping.signal.aborted ? new Promise<string>(() => undefined) : reason,
    ),
    stop: async () => {
      stopping.abort();
      await current.stop();
      await watching;
    },
  };
}
