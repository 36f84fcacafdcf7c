/**
 * Runs heavy synchronous work in a thread, so that this process keeps serving its streams. The thread is started when
 * it is first needed, has one request at a time, and is ended and replaced when a request takes too long: no timer can
 * stop synchronous code in any other way.
 */
import { Worker } from 'node:worker_threads';
import { TooLate } from '../with-timeout.ts';
import type { ThreadReply, ThreadRequest } from './serve-thread.ts';

export interface ThreadSettings {
  /** What the thread runs; it calls `serveThread`. */
  readonly file: URL;
  /** Names the work in errors, such as `the verifier`. */
  readonly what: string;
  /** Requests that may wait; with one more, the newest of those whose turn has most is refused. */
  readonly mostWaiting: number;
  /** The thread's `workerData`. */
  readonly data?: unknown;
}

export interface RequestLimits {
  /** From when the thread takes the request; what takes longer costs the thread its life. Absent: no limit. */
  readonly runMs?: number;
  /** A request that the thread has not taken by then is not run. Absent: no limit. */
  readonly waitMs?: number;
  /** For whom it is: those who wait are served in turns, so who asks for much waits behind itself. */
  readonly turn?: string;
}

interface Job {
  readonly message: ThreadRequest;
  readonly limits: RequestLimits;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  timer: NodeJS.Timeout | undefined;
}

/** Those who wait, each in the queue of its turn. The queue whose turn is next comes first. */
class WaitingJobs {
  readonly #queues = new Map<string, Job[]>();
  count = 0;

  push(job: Job): void {
    const turn = turnOf(job);
    const queue = this.#queues.get(turn);
    if (queue === undefined) this.#queues.set(turn, [job]);
    else queue.push(job);
    this.count += 1;
  }

  takeNext(): Job | undefined {
    const [job] = this.#queues.values().next().value ?? [];
    if (job === undefined) return undefined;
    const turn = turnOf(job);
    const rest = this.#queues.get(turn)?.slice(1) ?? [];
    this.#queues.delete(turn);
    if (rest.length > 0) this.#queues.set(turn, rest);
    this.count -= 1;
    return job;
  }

  takeNewestOfMost(): Job | undefined {
    // Of equals, the last that came.
    const longest = [...this.#queues.values()].toSorted((a, b) => a.length - b.length).at(-1);
    const job = longest?.at(-1);
    if (job === undefined) return undefined;
    this.remove(job);
    clearTimeout(job.timer);
    return job;
  }

  /** @returns whether it was waiting. */
  remove(job: Job): boolean {
    const turn = turnOf(job);
    const queue = this.#queues.get(turn) ?? [];
    const rest = queue.filter((other) => other !== job);
    if (rest.length === queue.length) return false;
    if (rest.length > 0) this.#queues.set(turn, rest);
    else this.#queues.delete(turn);
    this.count -= 1;
    return true;
  }

  takeAll(): Job[] {
    const jobs = [...this.#queues.values()].flat();
    this.#queues.clear();
    this.count = 0;
    return jobs;
  }
}

function turnOf({ limits }: Job): string {
  return limits.turn ?? '';
}

export class ThreadRunner {
  readonly #settings: ThreadSettings;
  readonly #waiting = new WaitingJobs();
  #running: Job | null = null;
  #thread: Worker | null = null;
  #isReady = false;
  #isClosed = false;
  #lastId = 0;

  constructor(settings: ThreadSettings) {
    this.#settings = settings;
  }

  /** @returns what the thread's handler returned; rejects with what it threw, or with `TooLate`. */
  run(request: unknown, limits: RequestLimits = {}): Promise<unknown> {
    const { what, mostWaiting } = this.#settings;
    if (this.#isClosed) return Promise.reject(new Error(`The thread of ${what} is closed.`));
    return new Promise((resolve, reject) => {
      this.#lastId += 1;
      const job: Job = {
        message: { id: this.#lastId, request },
        limits,
        resolve,
        reject,
        timer: undefined,
      };
      if (limits.waitMs !== undefined) job.timer = setTimeout(() => this.#giveUp(job), limits.waitMs);
      this.#waiting.push(job);
      if (this.#waiting.count > mostWaiting) {
        this.#waiting
          .takeNewestOfMost()
          ?.reject(new Error(`More than ${mostWaiting} requests wait for ${what}.`));
      }
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const error = new Error(`The thread of ${this.#settings.what} was closed.`);
    for (const job of this.#takeAll()) job.reject(error);
    await this.#end();
  }

  #next(): void {
    this.#thread ??= this.#start();
    // A process that has nothing else to do may end.
    if (this.#running === null && this.#waiting.count === 0) this.#thread.unref();
    else this.#thread.ref();
    if (!this.#isReady || this.#running !== null) return;
    const job = this.#waiting.takeNext();
    if (job === undefined) return;
    clearTimeout(job.timer);
    this.#running = job;
    const { runMs } = job.limits;
    if (runMs !== undefined) job.timer = setTimeout(() => this.#overrun(job, runMs), runMs);
    this.#thread.postMessage(job.message);
  }

  #start(): Worker {
    const thread = new Worker(this.#settings.file, { workerData: this.#settings.data });
    this.#isReady = false;
    const isCurrent = () => this.#thread === thread;
    thread.on('message', (reply: ThreadReply) => {
      if (isCurrent()) this.#take(reply);
    });
    thread.on('error', (error: unknown) => {
      if (isCurrent()) this.#fail(new Error(messageOf(error), { cause: error }));
    });
    thread.on('exit', () => {
      if (isCurrent()) this.#fail(new Error(`The thread of ${this.#settings.what} ended.`));
    });
    return thread;
  }

  #take(reply: ThreadReply): void {
    const job = this.#running;
    if ('ready' in reply) this.#isReady = true;
    else if (job !== null && job.message.id === reply.id) {
      clearTimeout(job.timer);
      this.#running = null;
      if ('value' in reply) job.resolve(reply.value);
      else job.reject(new Error(`${this.#settings.what}: ${reply.error}`));
    }
    this.#next();
  }

  /** The one that ran is lost with the thread. The others get a new thread, unless none could be loaded for them. */
  #fail(error: Error): void {
    this.#thread = null;
    const lost = this.#isReady ? this.#takeRunning() : this.#takeAll();
    for (const job of lost) job.reject(error);
    if (this.#waiting.count > 0) this.#next();
  }

  #overrun(job: Job, runMs: number): void {
    if (this.#running !== job) return;
    this.#running = null;
    job.reject(new TooLate(`${this.#settings.what} did not answer within ${runMs} ms`));
    void this.#end();
    if (this.#waiting.count > 0) this.#next();
  }

  #giveUp(job: Job): void {
    if (!this.#waiting.remove(job)) return;
    job.reject(new TooLate(`${this.#settings.what} was busy for ${job.limits.waitMs} ms`));
  }

  #takeRunning(): Job[] {
    const job = this.#running;
    this.#running = null;
    if (job === null) return [];
    clearTimeout(job.timer);
    return [job];
  }

  #takeAll(): Job[] {
    const jobs = [...this.#takeRunning(), ...this.#waiting.takeAll()];
    for (const job of jobs) clearTimeout(job.timer);
    return jobs;
  }

  async #end(): Promise<void> {
    const thread = this.#thread;
    this.#thread = null;
    await thread?.terminate();
  }
}

/** An error that comes from a thread need not be an instance of this thread's class. */
function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error
    ? String(error.message)
    : String(error);
}
