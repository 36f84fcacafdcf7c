/**
 * Jobs that wait for the thread: a queue for each turn, served round-robin. A job's timer limits its wait, so it is
 * stopped when the job leaves.
 */

export interface RequestLimits {
  /** Counted from when the thread takes the request; when it is over, the thread is terminated. Absent: no limit. */
  readonly runMs?: number;
  /** A request that the thread has not taken by then is dropped. Absent: no limit. */
  readonly waitMs?: number;
  /** Names the queue. Queues are served round-robin, so a tenant with many requests delays only itself. */
  readonly turn?: string;
}

export interface Job {
  readonly id: number;
  readonly request: unknown;
  readonly limits: RequestLimits;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  /** Of its wait; once it runs, of its run. */
  timer: NodeJS.Timeout | undefined;
}

export class WaitingJobs {
  /** By turn; the queue that is served next comes first. */
  readonly #queues = new Map<string, Job[]>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  push(job: Job): void {
    const turn = turnOf(job);
    const queue = this.#queues.get(turn);
    if (queue === undefined) this.#queues.set(turn, [job]);
    else queue.push(job);
    this.#count += 1;
  }

  takeNext(): Job | undefined {
    const [job] = this.#queues.values().next().value ?? [];
    if (job === undefined) return undefined;
    const turn = turnOf(job);
    const rest = this.#queues.get(turn)?.slice(1) ?? [];
    this.#queues.delete(turn);
    if (rest.length > 0) this.#queues.set(turn, rest);
    this.#count -= 1;
    clearTimeout(job.timer);
    return job;
  }

  takeNewestOfMost(): Job | undefined {
    // Among queues of equal length, the one that was served last.
    const longest = [...this.#queues.values()].toSorted((a, b) => a.length - b.length).at(-1);
    const job = longest?.at(-1);
    if (job !== undefined) this.remove(job);
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
    this.#count -= 1;
    clearTimeout(job.timer);
    return true;
  }

  takeAll(): Job[] {
    const jobs = [...this.#queues.values()].flat();
    this.#queues.clear();
    this.#count = 0;
    for (const job of jobs) clearTimeout(job.timer);
    return jobs;
  }
}

function turnOf({ limits }: Job): string {
  return limits.turn ?? '';
}
