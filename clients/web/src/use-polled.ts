/** Reloads data periodically while the tab is visible. */
import { useEffect, useState } from 'preact/hooks';

export const POLL_MS = 3_000;

interface Polled<Data> {
  /** null until the first answer; after a failure, the last good one. */
  readonly data: Data | null;
  readonly error: Error | null;
  readonly reload: () => void;
}

/** How long the page waits after an answer. A function decides by it, and must be the same at each rendering. */
export type PollEvery<Data> = number | ((data: Data) => number);

export function usePolled<Data>(load: () => Promise<Data>, everyMs: PollEvery<Data> = POLL_MS): Polled<Data> {
  const [polled, setPolled] = useState<Omit<Polled<Data>, 'reload'>>({ data: null, error: null });
  const [round, setRound] = useState(0);
  useEffect(() => {
    let timer: number | undefined;
    let isOver = false;
    const poll = async () => {
      let waitMs = typeof everyMs === 'function' ? POLL_MS : everyMs;
      const next = await load().then(
        (data) => {
          if (typeof everyMs === 'function') waitMs = everyMs(data);
          return { data, error: null };
        },
        (error: unknown) => ({ error: error instanceof Error ? error : new Error(String(error)) }),
      );
      if (isOver) return;
      setPolled((before) => ({ ...before, ...next }));
      timer = window.setTimeout(loadWhenVisible, waitMs);
    };
    const loadWhenVisible = () => {
      if (!document.hidden) void poll();
      else document.addEventListener('visibilitychange', loadWhenVisible, { once: true });
    };
    loadWhenVisible();
    return () => {
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', loadWhenVisible);
    };
  }, [load, everyMs, round]);
  return { ...polled, reload: () => setRound((before) => before + 1) };
}
