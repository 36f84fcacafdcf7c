/** One answer in the making. It goes on at its pace, whoever listens. */
export type GenerationState = 'in_progress' | 'completed' | 'incomplete' | 'failed' | 'cancelled';

export interface SimulatedGeneration {
  readonly tokens: readonly string[];
  /** Tokens made so far: what a real provider would bill. */
  produced(): number;
  state(): GenerationState;
  /** Ends it before its time. */
  end(state: 'failed' | 'cancelled'): void;
  /** Resolves when a token was made or the answer has ended. */
  changed(): Promise<void>;
}

export interface GenerationPlan {
  /** What this call makes, already cut to its limit. */
  readonly tokens: readonly string[];
  readonly delayMs: number;
  readonly firstMs: number;
  /** How it ends by itself. */
  readonly endState: 'completed' | 'incomplete' | 'failed';
}

export function startGeneration({ tokens, delayMs, firstMs, endState }: GenerationPlan): SimulatedGeneration {
  const startedAt = performance.now() + firstMs;
  let produced = 0;
  let state: GenerationState = 'in_progress';
  let timer: NodeJS.Timeout | undefined;
  let change = Promise.withResolvers<void>();
  const announce = () => {
    change.resolve();
    change = Promise.withResolvers<void>();
  };
  const tick = () => {
    const elapsedMs = performance.now() - startedAt;
    // Timers come late, so one tick makes all that is due by the clock.
    const due = delayMs === 0 ? tokens.length : Math.floor(elapsedMs / delayMs) + 1;
    if (elapsedMs >= 0) produced = Math.min(tokens.length, Math.max(produced, due));
    if (elapsedMs >= 0 && produced === tokens.length) state = endState;
    else timer = setTimeout(tick, Math.max(1, produced * delayMs - elapsedMs));
    announce();
  };
  tick();
  return {
    tokens,
    produced: () => produced,
    state: () => state,
    end: (ended) => {
      if (state !== 'in_progress') return;
      clearTimeout(timer);
      state = ended;
      announce();
    },
    changed: () => change.promise,
  };
}
