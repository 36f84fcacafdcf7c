/** Lists that the API answers in pages. */
import { type ClientOptions, requestJson } from '../../clients/typescript/unbroken-client.ts';

type Query = Readonly<Record<string, string | number | undefined>>;

const PAGE_ITEMS = 1_000;

/** All items of all pages. */
export async function* pages<Item>(
  connection: ClientOptions,
  path: string,
  query: Query,
): AsyncGenerator<Item> {
  let after: string | undefined;
  do {
    const page = await requestJson<{ readonly data: readonly Item[]; readonly next: string | null }>(
      connection,
      {
        method: 'GET',
        path: `${path}${queryOf({ ...query, limit: PAGE_ITEMS, after })}`,
      },
    );
    yield* page.data;
    after = page.next ?? undefined;
  } while (after !== undefined);
}

/** `?name=value&...`, without what is undefined. */
export function queryOf(values: Query): string {
  const pairs = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  return `?${new URLSearchParams(pairs)}`;
}
