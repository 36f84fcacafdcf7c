/** A simulated model at work: it generates tokens at its pace and counts them. Many readers can follow one run. */
import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AnswerToken, Gap } from './true-text.ts';

/** The timers of a run keep no process alive; the listening server does. */
const PACE = { ref: false };

interface RunPlan {
  readonly tokens: readonly AnswerToken[];
  readonly delayMs: number;
  readonly firstMs: number;
  readonly gap: Gap | null;
  /** Receives the count whenever more tokens were generated, before any reader learns of them. */
  readonly onMade: (made: number) => void;
}

export class SimulatedRun {
  readonly tokens: readonly AnswerToken[];
  readonly #plan: RunPlan;
  readonly #changes = new EventEmitter().setMaxListeners(0);
  #made = 0;
  #isReleased = false;
  #state: 'running' | 'done' | 'cancelled' = 'running';

  /** Starts at once. */
  constructor(plan: RunPlan) {
    this.#plan = plan;
    this.tokens = plan.tokens;
    void this.#generate();
  }

  /** Tokens generated so far: what a vendor would bill. */
  get made(): number {
    return this.#made;
  }

  get state(): 'running' | 'done' | 'cancelled' {
    return this.#state;
  }

  cancel(): void {
    if (this.#state === 'running') this.#state = 'cancelled';
    this.#changes.emit('change');
    this.release();
  }

  /** Ends a gap that has no `gap_ms`, also one that is still to come. */
  release(): void {
    this.#isReleased = true;
    this.#changes.emit('release');
  }

  /** Resolves when more than `count` tokens were generated, or the run has ended. */
  async moreThan(count: number): Promise<void> {
    while (this.#made <= count && this.#state === 'running') await once(this.#changes, 'change');
  }

  /** Resolves when the run has ended. */
  async end(): Promise<void> {
    while (this.#state === 'running') await once(this.#changes, 'change');
  }

  async #generate(): Promise<void> {
    const { tokens, delayMs, firstMs, gap, onMade } = this.#plan;
    if (firstMs > 0) await sleep(firstMs, null, PACE);
    let startedAt = performance.now();
    let pause = gap;
    while (this.#state === 'running' && this.#made < tokens.length) {
      // Timers are late under load: a run that is behind generates several tokens at once.
      const due = delayMs === 0 ? tokens.length : 1 + Math.floor((performance.now() - startedAt) / delayMs);
      const most = Math.min(tokens.length, pause?.afterTokens ?? tokens.length);
      const made = Math.min(most, Math.max(due, this.#made));
      if (made > this.#made) onMade(made);
      this.#made = made;
      this.#changes.emit('change');
      if (pause !== null && made >= pause.afterTokens) {
        const silentAt = performance.now();
        if (pause.ms !== null) await sleep(pause.ms, null, PACE);
        else if (!this.#isReleased) await once(this.#changes, 'release');
        startedAt += performance.now() - silentAt;
        pause = null;
      }
      if (made < tokens.length) {
        await sleep(Math.max(1, startedAt + made * delayMs - performance.now()), null, PACE);
      }
    }
    if (this.#state === 'running') this.#state = 'done';
    this.#changes.emit('change');
  }
}
