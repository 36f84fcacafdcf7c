/** Keeps what is shown up to date while it is looked at. */
import { useEffect, useState } from 'preact/hooks';

const POLL_MS = 3_000;

export interface Polled<Data> {
  /** null until the first answer; the last good one after a failure. */
  readonly data: Data | null;
  readonly error: Error | null;
  readonly reload: () => void;
}

export function usePolled<Data>(load: () => Promise<Data>): Polled<Data> {
  const [polled, setPolled] = useState<Omit<Polled<Data>, 'reload'>>({ data: null, error: null });
  const [round, setRound] = useState(0);
  useEffect(() => {
    let timer: number | undefined;
    let isOver = false;
    const ask = async () => {
      const next = await load().then(
        (data) => ({ data, error: null }),
        (error: unknown) => ({ error: error instanceof Error ? error : new Error(String(error)) }),
      );
      if (isOver) return;
      setPolled((before) => ({ ...before, ...next }));
      timer = window.setTimeout(askWhenSeen, POLL_MS);
    };
    const askWhenSeen = () => {
      if (!document.hidden) void ask();
      else document.addEventListener('visibilitychange', askWhenSeen, { once: true });
    };
    askWhenSeen();
    return () => {
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', askWhenSeen);
    };
  }, [load, round]);
  return { ...polled, reload: () => setRound((before) => before + 1) };
}
