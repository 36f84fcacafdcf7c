/**
 * Unbroken behind a function of a platform that ends every request after some seconds. It is a Web-standard fetch
 * handler, as Vercel, Netlify, Cloudflare and Deno take it. It adds the key, which never reaches the browser, and asks
 * the API to end each stream before the platform would cut it. The client reconnects with its cursor.
 */

interface FunctionSettings {
  /** Where Unbroken is, such as https://unbroken.internal. */
  readonly apiUrl: string;
  readonly apiKey: string;
  /** What the platform allows one request to take. */
  readonly limitMs: number;
  /** How long before its limit a stream is ended. */
  readonly marginMs: number;
  readonly fetch?: typeof globalThis.fetch;
}

const EVENTS = /^\/v1\/generations\/([\w-]+)\/events$/;
const ONE = /^\/v1\/generations\/([\w-]+)$/;

export function createFunction(settings: FunctionSettings): (request: Request) => Promise<Response> {
  const { apiUrl, apiKey, limitMs, marginMs, fetch: send = globalThis.fetch } = settings;
  return async (request) => {
    // Your own check of who asks belongs here: the key below may read all that its user began.
    const { pathname, searchParams } = new URL(request.url);
    const target = new URL(pathname, apiUrl);
    const isSubmit = request.method === 'POST' && pathname === '/v1/generations';
    if (!isSubmit && !(request.method === 'GET' && (EVENTS.test(pathname) || ONE.test(pathname)))) {
      return Response.json({ error: 'not found' }, { status: 404 });
    }
    const headers = new Headers({ authorization: `Bearer ${apiKey}` });
    for (const name of ['content-type', 'idempotency-key', 'last-event-id']) {
      const value = request.headers.get(name);
      if (value !== null) headers.set(name, value);
    }
    if (EVENTS.test(pathname)) {
      target.searchParams.set('until_ms', String(limitMs - marginMs));
      const after = searchParams.get('after');
      if (after !== null) target.searchParams.set('after', after);
    }
    const answer = await send(target, {
      method: request.method,
      headers,
      // The submit answers at once with the id; a stream in its answer would be cut.
      ...(isSubmit ? { body: JSON.stringify({ ...((await request.json()) as object), stream: false }) } : {}),
      signal: request.signal,
    });
    const passed = new Headers();
    for (const name of ['content-type', 'cache-control', 'x-accel-buffering', 'retry-after', 'location']) {
      const value = answer.headers.get(name);
      if (value !== null) passed.set(name, value);
    }
    return new Response(answer.body, { status: answer.status, headers: passed });
  };
}
