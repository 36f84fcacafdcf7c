/** Wakes one who waits. A ring that comes while nobody waits is kept for the next who does. */
export interface Bell {
  ring(): void;
  /** @returns whether it rang; false after `timeoutMs`, or when the signal was given. */
  rung(timeoutMs: number, signal: AbortSignal): Promise<boolean>;
}

export function createBell(): Bell {
  let isRung = false;
  let wake: (() => void) | null = null;
  return {
    ring() {
      isRung = true;
      wake?.();
    },
    async rung(timeoutMs, signal) {
      if (!isRung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
          signal.addEventListener('abort', wake, { once: true });
        });
        if (wake !== null) signal.removeEventListener('abort', wake);
        wake = null;
      }
      const answer = isRung;
      isRung = false;
      return answer;
    },
  };
}
