/** A simulated model at work: makes tokens at its pace, counts them, and can be listened to from any point. */
import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Piece } from './true-text.ts';

export interface SimulatedRun {
  readonly pieces: readonly Piece[];
  /** Tokens made so far: what a vendor would bill. */
  readonly made: number;
  readonly state: 'running' | 'done' | 'cancelled';
  cancel(): void;
  /** Resolves when more than `count` tokens are made, or the run has ended. */
  moreThan(count: number): Promise<void>;
  /** Resolves when the run has ended. */
  end(): Promise<void>;
}

/** A run that nobody can ask for any more keeps no process alive; the listening server does. */
const PACE = { ref: false };

/** @param onMade is called with the count whenever more is made, before anybody can hear of it. */
export function startRun(
  pieces: readonly Piece[],
  delayMs: number,
  firstMs: number,
  onMade: (made: number) => void = () => undefined,
): SimulatedRun {
  const changes = new EventEmitter().setMaxListeners(0);
  let made = 0;
  let state: SimulatedRun['state'] = 'running';
  const change = () => changes.emit('change');

  const work = async () => {
    if (firstMs > 0) await sleep(firstMs, null, PACE);
    const startedAt = performance.now();
    while (state === 'running' && made < pieces.length) {
      // Timers are late under load; a run that is behind makes several tokens at once.
      const due = delayMs === 0 ? pieces.length : 1 + Math.floor((performance.now() - startedAt) / delayMs);
      const more = Math.min(pieces.length, Math.max(due, made));
      if (more > made) onMade(more);
      made = more;
      change();
      if (made < pieces.length)
        await sleep(Math.max(1, startedAt + made * delayMs - performance.now()), null, PACE);
    }
    if (state === 'running') state = 'done';
    change();
  };
  void work();

  const run: SimulatedRun = {
    pieces,
    get made() {
      return made;
    },
    get state() {
      return state;
    },
    cancel() {
      if (state === 'running') state = 'cancelled';
      change();
    },
    async moreThan(count) {
      while (made <= count && state === 'running') await once(changes, 'change');
    },
    async end() {
      while (state === 'running') await once(changes, 'change');
    },
  };
  return run;
}
