/**
 * Runs heavy synchronous work in a thread, so that this process keeps serving its streams. The thread starts when it is
 * first needed and handles one request at a time. A request that takes too long costs the thread its life, because no
 * timer can stop synchronous code in any other way; the next request gets a new thread.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { onDisk } from '../on-disk.ts';
import { TooLate } from '../with-timeout.ts';
import { type MessageFromThread, type MessageToThread, outcomeOf } from './serve-thread.ts';
import { type Job, type RequestLimits, WaitingJobs } from './waiting-jobs.ts';

export interface ThreadSettings {
  /** The module that the thread runs, named as in a clone; it calls `serveThread`. */
  readonly file: URL;
  /** Names the work in errors, such as `the verifier`. */
  readonly what: string;
  /** Requests that may wait. One more refuses the newest request of the longest queue. */
  readonly mostWaiting: number;
  /** The thread's `workerData`. */
  readonly data?: unknown;
  /** A thread whose heap grows beyond it ends, and its request fails. Absent: the heap of this process. */
  readonly mostHeapMb?: number;
  /**
   * The thread runs native code, and ends only between two requests: termination in the middle of native code aborts
   * the whole process. So a request must have no `runMs`.
   */
  readonly isNative?: boolean;
  /** Answers the thread's questions (`askOwner`). Absent: every question is an error. */
  readonly answer?: (question: unknown) => Promise<unknown>;
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

  /**
   * @returns what the thread's handler returned. Rejects with the handler's error, or with `TooLate` when the request
   * waited or ran too long, or too many requests wait.
   */
  run(request: unknown, limits: RequestLimits = {}): Promise<unknown> {
    const { what, mostWaiting } = this.#settings;
    if (this.#isClosed) return Promise.reject(new Error(`The thread of ${what} is closed.`));
    return new Promise((resolve, reject) => {
      this.#lastId += 1;
      const job: Job = {
        id: this.#lastId,
        request,
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
          ?.reject(new TooLate(`More than ${mostWaiting} requests wait for ${what}.`));
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
    // An idle thread must not keep the process alive.
    if (this.#running === null && this.#waiting.count === 0) this.#thread.unref();
    else this.#thread.ref();
    if (!this.#isReady || this.#running !== null) return;
    const job = this.#waiting.takeNext();
    if (job === undefined) return;
    this.#running = job;
    const { runMs } = job.limits;
    if (runMs !== undefined) job.timer = setTimeout(() => this.#overrun(job, runMs), runMs);
    this.#thread.postMessage({
      kind: 'request',
      id: job.id,
      request: job.request,
    } satisfies MessageToThread);
  }

  #start(): Worker {
    const { file, data, mostHeapMb } = this.#settings;
    const thread = new Worker(new URL(onDisk(file.href)), {
      workerData: data,
      ...(mostHeapMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: mostHeapMb } }),
    });
    this.#isReady = false;
    const isCurrent = () => this.#thread === thread;
    thread.on('message', async (message: MessageFromThread) => {
      if (!isCurrent()) return;
      if (message.kind !== 'question') return this.#take(message);
      const { id, question } = message;
      const outcome = await outcomeOf(() => this.#answer(question));
      if (isCurrent()) thread.postMessage({ kind: 'answer', id, outcome } satisfies MessageToThread);
    });
    thread.on('error', (error: unknown) => {
      if (isCurrent()) this.#fail(new Error(messageOf(error), { cause: error }));
    });
    thread.on('exit', () => {
      if (isCurrent()) this.#fail(new Error(`The thread of ${this.#settings.what} ended.`));
    });
    return thread;
  }

  #answer(question: unknown): Promise<unknown> {
    const { answer, what } = this.#settings;
    if (answer === undefined) throw new Error(`the owner of ${what} answers no questions`);
    return answer(question);
  }

  #take(message: Exclude<MessageFromThread, { kind: 'question' }>): void {
    const job = this.#running;
    if (message.kind === 'ready') this.#isReady = true;
    else if (job !== null && job.id === message.id) {
      const { outcome } = message;
      clearTimeout(job.timer);
      this.#running = null;
      if ('value' in outcome) job.resolve(outcome.value);
      else job.reject(new Error(`${this.#settings.what}: ${outcome.error}`));
    }
    this.#next();
  }

  /** The running job fails with the thread. The others get a new thread, unless this one could not even be loaded. */
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
    return [...this.#takeRunning(), ...this.#waiting.takeAll()];
  }

  async #end(): Promise<void> {
    const thread = this.#thread;
    this.#thread = null;
    if (thread === null) return;
    if (this.#settings.isNative !== true) return void (await thread.terminate());
    const exit = once(thread, 'exit');
    thread.ref();
    thread.postMessage({ kind: 'end' } satisfies MessageToThread);
    await exit;
  }
}

/** An error from a thread need not be an instance of this thread's `Error`. */
function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error
    ? String(error.message)
    : String(error);
}
