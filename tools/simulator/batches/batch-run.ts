/** The lines of one batch at work: answered one after the other, until the batch is cancelled or expires. */
import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { DAY_MS } from '../../../contracts/time.ts';
import type { SimulatedUsage } from '../calls.ts';
import type { BatchPlan } from './batch-plans.ts';

export interface BatchLine {
  readonly customId: string;
  readonly body: unknown;
}

export interface LineAnswer {
  readonly status: number;
  readonly body: object;
  /** What the vendor bills; null: nothing. */
  readonly usage: SimulatedUsage | null;
}

export type LineOutcome =
  | (LineAnswer & { readonly type: 'answered' })
  | { readonly type: 'cancelled' | 'expired' };

/** What has happened to a batch, one thing at a time. */
export type RunChange =
  | { readonly type: 'line'; readonly customId: string; readonly outcome: LineOutcome }
  | { readonly type: 'released' }
  | { readonly type: 'cancelled' | 'expired'; readonly atMs: number }
  | { readonly type: 'ended'; readonly atMs: number };

function failedLine(error: unknown): LineAnswer {
  const message = error instanceof Error ? error.message : 'failed';
  return { status: 500, body: { error: { message } }, usage: null };
}

/** The longest that Node's timers go. */
const LONGEST_MS = 2 ** 31 - 1;

interface RunSettings {
  readonly lines: readonly BatchLine[];
  readonly plan: BatchPlan;
  readonly startedAtMs: number;
  readonly answer: (line: BatchLine) => Promise<LineAnswer>;
  /** What happened before this process. */
  readonly earlier: readonly RunChange[];
  readonly keep: (change: RunChange) => void;
}

export class BatchRun {
  readonly #settings: RunSettings;
  readonly #changes = new EventEmitter().setMaxListeners(0);
  readonly #outcomes = new Map<string, LineOutcome>();
  #isReleased = false;
  #stop: 'cancelled' | 'expired' | null = null;
  #endedAtMs: number | null = null;
  #stoppedAtMs: number | null = null;

  /** Starts at once, where it stood. */
  constructor(settings: RunSettings) {
    this.#settings = settings;
    for (const change of settings.earlier) this.#apply(change);
    if (this.#endedAtMs !== null) return;
    const expiry = setTimeout(() => this.expire(), Math.min(this.expiresAtMs - Date.now(), LONGEST_MS));
    void this.#run().finally(() => clearTimeout(expiry));
    expiry.unref();
  }

  get total(): number {
    return this.#settings.lines.length;
  }

  get expiresAtMs(): number {
    return this.#settings.startedAtMs + (this.#settings.plan.expiresAfterMs ?? DAY_MS);
  }

  /** null while it runs. */
  get endedAtMs(): number | null {
    return this.#endedAtMs;
  }

  /** When it was cancelled or expired; null: neither. */
  get stoppedAtMs(): number | null {
    return this.#stoppedAtMs;
  }

  get stop(): 'cancelled' | 'expired' | null {
    return this.#stop;
  }

  /** Those that were answered, with success or not. */
  get answered(): number {
    return [...this.#outcomes.values()].filter(({ type }) => type === 'answered').length;
  }

  /** Those that the vendor bills: it answered them with success. */
  get billed(): number {
    return this.count((outcome) => outcome.type === 'answered' && outcome.status === 200);
  }

  count(matches: (outcome: LineOutcome) => boolean): number {
    return [...this.#outcomes.values()].filter(matches).length;
  }

  /** Not in the order of the lines, as the vendors warn. */
  results(): readonly (readonly [string, LineOutcome])[] {
    return [...this.#outcomes].toReversed();
  }

  release(): void {
    this.#note({ type: 'released' });
  }

  cancel(): void {
    this.#end('cancelled');
  }

  expire(): void {
    this.#end('expired');
  }

  #end(stop: 'cancelled' | 'expired'): void {
    if (this.#stop !== null || this.#endedAtMs !== null) return;
    this.#note({ type: stop, atMs: Date.now() });
  }

  #note(change: RunChange): void {
    this.#settings.keep(change);
    this.#apply(change);
    this.#changes.emit('change');
  }

  #apply(change: RunChange): void {
    switch (change.type) {
      case 'line':
        this.#outcomes.set(change.customId, change.outcome);
        break;
      case 'released':
        this.#isReleased = true;
        break;
      case 'ended':
        this.#endedAtMs = change.atMs;
        break;
      default:
        this.#stop = change.type;
        this.#stoppedAtMs = change.atMs;
    }
  }

  async #run(): Promise<void> {
    const { lines, plan, answer } = this.#settings;
    for (const [index, line] of lines.entries()) {
      const { customId } = line;
      if (this.#outcomes.has(customId)) continue;
      await this.#untilDue(index);
      if (this.#stop !== null) break;
      const answered = await answer(line).catch((error: unknown) => failedLine(error));
      this.#note({ type: 'line', customId, outcome: { type: 'answered', ...answered } });
    }
    await this.#untilDue(lines.length);
    const { stop } = this;
    if (stop === 'cancelled') await sleep(plan.cancelMs, null, { ref: false });
    for (const { customId } of lines) {
      if (stop === null || this.#outcomes.has(customId)) continue;
      this.#note({ type: 'line', customId, outcome: { type: stop } });
    }
    this.#note({ type: 'ended', atMs: Date.now() });
  }

  /** Resolves when the line at this place is due, or the batch was stopped. */
  async #untilDue(index: number): Promise<void> {
    const { plan, lines, startedAtMs } = this.#settings;
    const dueAtMs = startedAtMs + (plan.runMs * index) / lines.length;
    const isHeld = () => !this.#isReleased && index >= (plan.holdAfterLines ?? Number.POSITIVE_INFINITY);
    // Requests are served between two lines.
    await sleep(0, null, { ref: false });
    while (this.#stop === null && (isHeld() || Date.now() < dueAtMs)) {
      const change = once(this.#changes, 'change');
      if (isHeld()) await change;
      else await Promise.race([change, sleep(dueAtMs - Date.now(), null, { ref: false })]);
    }
  }
}
