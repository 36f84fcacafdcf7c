/** Downloads with limits: a network that blocks a host costs seconds, and a host that sends too much is cut off. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/**
 * @typedef {object} Limits
 * @property {number} answerMs until the head of the response is there
 * @property {number} wholeMs
 * @property {number} maxBytes
 */

/**
 * The body of a URL as text. Throws where the status is not 2xx or a limit is passed.
 * @param {URL} url
 * @param {Limits} limits
 * @param {Readonly<Record<string, string>>} [headers]
 */
export async function downloadText(url, limits, headers = {}) {
  return withResponse(url, limits, headers, async ({ response, body }) => {
    const chunks = [];
    for await (const chunk of countBytes(body, limits.maxBytes)) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    return { text, type: response.headers.get('content-type') ?? '', url: new URL(response.url) };
  });
}

/**
 * Writes the body of a URL to a file.
 * @param {URL} url
 * @param {Limits} limits
 * @param {string} path
 */
export async function downloadFile(url, limits, path) {
  await withResponse(url, limits, {}, ({ body }) =>
    pipeline(body, limitBytes(limits.maxBytes), createWriteStream(path)),
  );
}

/** @param {string} path */
export async function sha256OfFile(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/**
 * @template Result
 * @param {URL} url
 * @param {Limits} limits
 * @param {Readonly<Record<string, string>>} headers
 * @param {(received: { response: Response, body: Readable }) => Promise<Result>} read
 * @returns {Promise<Result>}
 */
async function withResponse(url, limits, headers, read) {
  const abort = new AbortController();
  const answerTimer = setTimeout(() => abort.abort(new Error('no answer')), limits.answerMs);
  const wholeTimer = setTimeout(() => abort.abort(new Error('too slow')), limits.wholeMs);
  try {
    const { target, credentials } = splitCredentials(url);
    const response = await fetch(target, { signal: abort.signal, headers: { ...headers, ...credentials } });
    clearTimeout(answerTimer);
    if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
    return await read({ response, body: Readable.fromWeb(/** @type {any} */ (response.body)) });
  } finally {
    clearTimeout(answerTimer);
    clearTimeout(wholeTimer);
  }
}

/**
 * `fetch` refuses a URL that holds a password; an index that needs one gets it as a header.
 * @param {URL} url
 */
function splitCredentials(url) {
  if (url.username === '' && url.password === '') return { target: url, credentials: {} };
  const target = new URL(url);
  target.username = '';
  target.password = '';
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { target, credentials: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } };
}

/**
 * Passes the bytes of a stream on; throws at the first that is too many.
 * @param {number} maxBytes
 */
export function limitBytes(maxBytes) {
  return (/** @type {AsyncIterable<Buffer>} */ source) => countBytes(source, maxBytes);
}

/**
 * @param {AsyncIterable<Buffer>} source
 * @param {number} maxBytes
 */
async function* countBytes(source, maxBytes) {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`more than ${maxBytes} bytes`);
    yield chunk;
  }
}
