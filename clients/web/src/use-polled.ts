/** Reloads data periodically while the tab is visible. */
import { useEffect, useState } from 'preact/hooks';

const POLL_MS = 3_000;

interface Polled<Data> {
  /** null until the first answer; after a failure, the last good one. */
  readonly data: Data | null;
  readonly error: Error | null;
  readonly reload: () => void;
}

export function usePolled<Data>(load: () => Promise<Data>, everyMs = POLL_MS): Polled<Data> {
  const [polled, setPolled] = useState<Omit<Polled<Data>, 'reload'>>({ data: null, error: null });
  const [round, setRound] = useState(0);
  useEffect(() => {
    let timer: number | undefined;
    let isOver = false;
    const poll = async () => {
      const next = await load().then(
        (data) => ({ data, error: null }),
        (error: unknown) => ({ error: error instanceof Error ? error : new Error(String(error)) }),
      );
      if (isOver) return;
      setPolled((before) => ({ ...before, ...next }));
      timer = window.setTimeout(loadWhenVisible, everyMs);
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
