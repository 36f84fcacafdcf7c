/** A load of streamed requests from this process, and what their times say. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';

const REPEAT_AFTER_MS = 1_000;

interface StreamedRequest {
  readonly url: string;
  readonly key: string;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether this event has the first text that a reader sees. */
  readonly isText: (event: Record<string, unknown>) => boolean;
  /** Sent again while the answer is 503, as clients do; `headers` must have an Idempotency-Key then. */
  readonly repeats?: boolean;
  /** Receives every event; a returned text is the error with which the stream ended. */
  readonly onEvent?: (event: Record<string, unknown>) => string | undefined;
}

/** Times in ms since 1970, of one clock: all processes are on this machine. */
export interface StreamTimes {
  readonly sentAtMs: number;
  readonly firstAtMs: number;
  /** From sending the request to its first text. */
  readonly firstMs: number;
  /** From sending the request to the end of the stream. */
  readonly wholeMs: number;
}

/** Reads the whole stream, so that the concurrency is real, and notes when the first text came. */
export async function streamOnce({
  url,
  key,
  body,
  headers,
  isText,
  repeats = false,
  onEvent,
}: StreamedRequest): Promise<StreamTimes> {
  const now = () => performance.timeOrigin + performance.now();
  const sentAtMs = now();
  const send = () =>
    fetch(url, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    });
  let response = await send();
  while (repeats && response.status === 503) {
    await response.body?.cancel();
    await sleep(REPEAT_AFTER_MS);
    response = await send();
  }
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  let firstAtMs: number | undefined;
  let broken: string | undefined;
  const parser = createParser({
    onEvent: ({ data }) => {
      if (!data.startsWith('{')) return;
      const event: Record<string, unknown> = JSON.parse(data);
      broken ??= onEvent?.(event);
      if (firstAtMs === undefined && isText(event)) firstAtMs = now();
    },
  });
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) parser.feed(decoder.decode(bytes, { stream: true }));
  if (broken !== undefined || firstAtMs === undefined) {
    throw new Error(`${url}: ${broken ?? 'the stream had no text'}`);
  }
  return { sentAtMs, firstAtMs, firstMs: firstAtMs - sentAtMs, wholeMs: now() - sentAtMs };
}

/** Calls `request` so many times, `concurrency` at a time. */
export async function load<Result>(
  requests: number,
  concurrency: number,
  request: () => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let begun = 0;
  const runner = async () => {
    while (begun < requests) {
      begun += 1;
      results.push(await request());
    }
  };
  await Promise.all(Array.from({ length: concurrency }, runner));
  return results;
}

interface Summary {
  readonly 'median ms': number;
  readonly 'p99 ms': number;
  readonly samples: number;
}

/** Nearest-rank percentiles. */
export function summary(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = (share: number) =>
    round(sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN);
  return { 'median ms': rank(0.5), 'p99 ms': rank(0.99), samples: sorted.length };
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
