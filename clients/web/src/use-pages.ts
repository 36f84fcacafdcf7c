/** A list that is read in pages: the first one is reloaded periodically, the others on demand. */
import { useMemo, useState } from 'preact/hooks';
import { getJson } from './session.ts';
import { type PollEvery, usePolled } from './use-polled.ts';

interface Page<Item> {
  readonly data: readonly Item[];
  readonly next: string | null;
}

/** As lists in the formats of vendors are. */
interface VendorPage<Item> {
  readonly data: readonly Item[];
  readonly has_more: boolean;
  readonly last_id: string | null;
}

export interface FirstPage<Item> {
  readonly path: string;
  readonly page: Page<Item>;
}

/** What was loaded on demand after the first page. */
interface OlderPages<Item> extends Page<Item> {
  readonly list: object;
  readonly error: Error | null;
  readonly isLoading: boolean;
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
export function usePages<Item extends { readonly id: string }>(
  path: string,
  everyMs?: PollEvery<FirstPage<Item>>,
): Pages<Item> {
  const load = useMemo(() => {
    // The answer carries its path: until the next one comes, it must not be shown as an answer to another search.
    return async (): Promise<FirstPage<Item>> => ({ path, page: await getPage<Item>(path) });
  }, [path]);
  const { data, error, reload } = usePolled(load, everyMs);
  const [round, setRound] = useState(0);
  // A new path or a reload starts another list. A page of an earlier one that arrives afterwards is not shown.
  const list = useMemo(() => ({ path, round }), [path, round]);
  const [loaded, setLoaded] = useState<OlderPages<Item> | null>(null);
  const older = loaded?.list === list ? loaded : null;
  const first = data?.path === path ? data.page : null;
  const next = older === null ? (first?.next ?? null) : older.next;
  const loadMore = async (after: string) => {
    const before = { list, data: older?.data ?? [], next: after, error: null, isLoading: true };
    setLoaded(before);
    const change = await getPage<Item>(`${path}&after=${encodeURIComponent(after)}`).then(
      (page) => ({ data: [...before.data, ...page.data], next: page.next }),
      (cause: unknown) => ({ error: cause instanceof Error ? cause : new Error(String(cause)) }),
    );
    setLoaded((current) => (current === before ? { ...before, ...change, isLoading: false } : current));
  };
  const reloadAll = () => {
    setRound((done) => done + 1);
    reload();
  };
  return {
    items: first === null ? null : eachOnce([...first.data, ...(older?.data ?? [])]),
    error: older?.error ?? error,
    more: next === null ? null : () => void loadMore(next),
    isLoading: older?.isLoading === true,
    reload: reloadAll,
  };
}

async function getPage<Item>(path: string): Promise<Page<Item>> {
  const answer = await getJson<Page<Item> | VendorPage<Item>>(path);
  if ('next' in answer) return answer;
  return { data: answer.data, next: answer.has_more ? answer.last_id : null };
}

function eachOnce<Item extends { readonly id: string }>(items: readonly Item[]): Item[] {
  return [...new Map(items.map((item) => [item.id, item])).values()];
}
