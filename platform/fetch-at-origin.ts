/**
 * A `fetch` of a provider whose requests stay at the server that the config names. Any other would get the prompt by a
 * redirect, and the key where it is in no `authorization` header, which is the only one that `fetch` then leaves out.
 */
import { UnbrokenError } from '../contracts/errors.ts';

/** After any other redirect, `fetch` sends a GET without the body. */
const KEEPS_BODY: ReadonlySet<number> = new Set([307, 308]);
const REDIRECTS: ReadonlySet<number> = new Set([...KEEPS_BODY, 301, 302, 303]);
const MOST_REDIRECTS = 3;

interface Answer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: { cancel(): Promise<void> } | null;
}

type Fetch<Init, Own extends Answer> = (url: string, init: Init & { redirect?: 'manual' }) => Promise<Own>;

/**
 * Follows a redirect within the server, and that of a download to where the provider keeps its files: without any
 * header. @throws provider_connect_failed for any other
 */
export async function fetchAtOrigin<Init extends object, Own extends Answer>(
  fetch: Fetch<Init, Own>,
  url: string,
  init: Init,
): Promise<Own> {
  const isDownload = ('method' in init ? init.method : 'GET') === 'GET';
  let [from, own] = [url, init];
  for (let redirects = 0; ; redirects += 1) {
    const answer = await fetch(from, { ...own, redirect: 'manual' });
    const to = redirectOf(answer, from);
    if (to === null) return answer;
    await answer.body?.cancel();
    const isWithin = to.origin === URL.parse(from)?.origin;
    if (redirects === MOST_REDIRECTS || !(isDownload || (isWithin && KEEPS_BODY.has(answer.status)))) {
      const message = `The provider redirects to ${to.origin}${to.pathname}; correct its baseUrl.`;
      throw new UnbrokenError('provider_connect_failed', message);
    }
    [from, own] = [to.href, isWithin ? own : { ...own, headers: {} }];
  }
}

function redirectOf({ status, headers }: Answer, from: string): URL | null {
  const location = headers.get('location');
  return location === null || !REDIRECTS.has(status) ? null : URL.parse(location, from);
}
