/** A list that is read in pages: the first one is reloaded periodically, the others on demand. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { getJson } from './session.ts';
import { usePolled } from './use-polled.ts';

interface Page<Item> {
  readonly data: readonly Item[];
  readonly next: string | null;
}

interface Pages<Item> {
  /** null until the first page is there. */
  readonly items: readonly Item[] | null;
  readonly error: Error | null;
  /** null: there is no further page. */
  readonly more: (() => void) | null;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

/** @param path with its query; another path starts another list. An item that has moved is listed once. */
export function usePages<Item extends { readonly id: string }>(path: string, everyMs?: number): Pages<Item> {
  const load = useMemo(() => {
    // The answer carries its path: until the next one comes, it must not be shown as an answer to another search.
    return async () => ({ path, page: await getJson<Page<Item>>(path) });
  }, [path]);
  const { data, error, reload } = usePolled(load, everyMs);
  const [older, setOlder] = useState<Page<Item> | null>(null);
  const [failure, setFailure] = useState<Error | null>(null);
  const [isLoading, setLoading] = useState(false);
  useEffect(() => {
    setOlder(null);
    setFailure(null);
  }, [path]);
  const first = data?.path === path ? data.page : null;
  const next = older === null ? (first?.next ?? null) : older.next;
  const loadMore = async (after: string) => {
    setLoading(true);
    setFailure(null);
    try {
      const page = await getJson<Page<Item>>(`${path}&after=${encodeURIComponent(after)}`);
      setOlder((before) => ({ data: [...(before?.data ?? []), ...page.data], next: page.next }));
    } catch (cause) {
      setFailure(cause instanceof Error ? cause : new Error(String(cause)));
    } finally {
      setLoading(false);
    }
  };
  const reloadAll = () => {
    setOlder(null);
    reload();
  };
  return {
    items: first === null ? null : eachOnce([...first.data, ...(older?.data ?? [])]),
    error: failure ?? error,
    more: next === null ? null : () => void loadMore(next),
    isLoading,
    reload: reloadAll,
  };
}

function eachOnce<Item extends { readonly id: string }>(items: readonly Item[]): Item[] {
  return [...new Map(items.map((item) => [item.id, item])).values()];
}
