/** An answer of the batch APIs, and the pages of their lists. */
import type { IncomingHttpHeaders } from 'node:http';

export interface BatchRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly apiKey: string;
  /** Empty where it is no POST. */
  readonly bytes: Buffer;
}

export interface HttpAnswer {
  readonly status: number;
  /** JSON, or the bytes of a file. */
  readonly body: object | Buffer;
  /** The request was served, and its answer is lost. */
  readonly isLost?: boolean;
}

export function ok(body: object): HttpAnswer {
  return { status: 200, body };
}

interface Page<Item> {
  readonly data: readonly Item[];
  readonly hasMore: boolean;
}

/** The items after the one with this id, in the order of the list. */
export function pageAfter<Item extends { readonly id: string }>(
  items: readonly Item[],
  { after, limit }: { readonly after: string | null; readonly limit: number },
): Page<Item> {
  const start = after === null ? 0 : items.findIndex(({ id }) => id === after) + 1;
  return { data: items.slice(start, start + limit), hasMore: items.length > start + limit };
}

/** One JSON value a line. */
export function jsonLines(values: readonly object[]): Buffer {
  return Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
}
