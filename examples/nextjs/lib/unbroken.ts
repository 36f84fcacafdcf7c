/** Calls Unbroken with the key, which stays on this server. */
import 'server-only';

const URL_OF_UNBROKEN = process.env['UNBROKEN_URL'] ?? 'http://127.0.0.1:8787';

export async function callUnbroken(path: string, init: RequestInit = {}): Promise<Response> {
  const answer = await fetch(new URL(path, URL_OF_UNBROKEN), {
    ...init,
    headers: {
      authorization: `Bearer ${process.env['UNBROKEN_API_KEY']}`,
      'content-type': 'application/json',
      ...init.headers,
    },
    cache: 'no-store',
  });
  // Passed on as it is: a stream is sent while it arrives.
  const headers = new Headers({ 'cache-control': 'no-store' });
  for (const name of ['content-type', 'retry-after', 'x-vercel-ai-ui-message-stream']) {
    const value = answer.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(answer.body, { status: answer.status, headers });
}
