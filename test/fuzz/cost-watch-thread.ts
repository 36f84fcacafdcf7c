/** The probes: a request to the API as soon as the last one was answered, and a reader of a stream. */
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { busyMs } from './busy-time.ts';
import type { WatchPlan } from './cost-watch.ts';

const PAUSE_MS = 2;
const ANSWER_MS = 60_000;

/** The longest wait for one process, and how often it was waited for. */
class Wait {
  readonly #pid: number;
  #busyMs: number;
  #at = performance.now();
  #longestMs = 0;
  #count = 0;

  constructor(pid: number) {
    this.#pid = pid;
    this.#busyMs = busyMs(pid) ?? 0;
  }

  /** From now on, a request waits. */
  begin(): void {
    this.#busyMs = busyMs(this.#pid) ?? this.#busyMs;
    this.#at = performance.now();
  }

  /** What the process did while it was waited for is no more than the time of the wait. */
  end(): void {
    const busy = (busyMs(this.#pid) ?? this.#busyMs) - this.#busyMs;
    this.#longestMs = Math.max(this.#longestMs, Math.min(busy, performance.now() - this.#at));
    this.#count += 1;
  }

  /** Without an end where nothing came back in time: a stream that stands still is no stream that nobody held up. */
  async take(): Promise<number> {
    // Twice: one wait may have begun before what is measured.
    const until = this.#count + 2;
    const deadline = performance.now() + ANSWER_MS;
    while (this.#count < until && performance.now() < deadline) await sleep(PAUSE_MS);
    const longest = this.#count < until ? Number.POSITIVE_INFINITY : this.#longestMs;
    this.#longestMs = 0;
    return longest;
  }
}

const { api, stream } = workerData as WatchPlan;
const apiWait = new Wait(api.pid);
const streamWait = stream === undefined ? null : new Wait(stream.workerPid);

async function probeApi(): Promise<never> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (;;) {
    apiWait.begin();
    await new Promise<void>((resolve) => {
      const request = get(`${api.url}/healthz`, { agent, timeout: ANSWER_MS }, (response) => {
        response.once('close', resolve).resume();
      });
      // A process that has ended is found by others.
      request.once('error', () => resolve());
    });
    apiWait.end();
    await sleep(PAUSE_MS);
  }
}

async function readStream(): Promise<void> {
  if (stream === undefined || streamWait === null) return;
  const response = await fetch(`${api.url}/v1/generations/${stream.generationId}/events`, {
    headers: { authorization: `Bearer ${stream.key}` },
  });
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) {
    // A sign of life is the API's, whatever the worker does.
    if (!decoder.decode(bytes, { stream: true }).includes('text-delta')) continue;
    streamWait.end();
    streamWait.begin();
  }
}

parentPort?.on('message', async () => {
  const [ofApi, ofWorker] = await Promise.all([apiWait.take(), streamWait?.take() ?? 0]);
  parentPort?.postMessage({ api: ofApi, worker: ofWorker });
});
void probeApi();
void readStream().catch(() => undefined);
