/**
 * Relays a job to one viewer: its events, and between `generation-open` and `generation-close` those of each
 * generation, from their own logs. No text is stored twice. A generation's last event comes before its
 * `generation-close`, so one cursor says exactly what the viewer has.
 */
import type { Response } from 'express';
import type { GenerationEvent } from '../../contracts/events.ts';
import { isJobEnd } from '../../contracts/fold-job.ts';
import type { JobEvent } from '../../contracts/jobs.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ConnectionFlow } from '../relay/connection-flow.ts';
import { relayEvents } from '../relay/relay-events.ts';
import { createResponseSink } from '../relay/sse.ts';
import { type JobCursor, writeJobCursor } from './job-cursor.ts';

const ENTRIES_PER_READ = 64;

type Dependencies = Pick<ApiDependencies, 'heartbeatMs' | 'jobs' | 'live' | 'log' | 'onSilence'>;
type Opened = Extract<JobEvent, { type: 'generation-open' }>;

interface JobStream {
  readonly jobId: string;
  readonly cursor: JobCursor;
  readonly response: Response;
  readonly signal: AbortSignal;
  /** Whether the events of generations are part of it. */
  readonly withText: boolean;
}

/** Resolves when the job has ended or the signal was aborted. */
export async function relayJob(dependencies: Dependencies, stream: JobStream): Promise<void> {
  const relay = new JobRelay(dependencies, stream);
  const shared = await dependencies.live.follow(stream.jobId, () => relay.wake());
  try {
    await relay.run();
  } finally {
    await shared.release();
  }
}

class JobRelay {
  readonly #dependencies: Dependencies;
  readonly #stream: JobStream;
  readonly #flow: ConnectionFlow;
  #after: number;
  /** The last seq of each open generation that was sent, by the seq of its opening. */
  readonly #sent: Map<number, number>;
  /** Resolves when a generation is wholly sent; by its id. */
  readonly #running = new Map<string, { readonly open: number; readonly done: Promise<void> }>();
  #awakened = Promise.withResolvers<void>();
  /** Why the log of a generation could not be read. */
  #failure: { readonly error: unknown } | null = null;

  constructor(dependencies: Dependencies, stream: JobStream) {
    this.#dependencies = dependencies;
    this.#stream = stream;
    this.#flow = new ConnectionFlow(stream.response);
    this.#after = stream.cursor.after;
    this.#sent = new Map(stream.cursor.generations);
    stream.signal.addEventListener('abort', () => this.wake(), { once: true });
  }

  wake(): void {
    this.#awakened.resolve();
  }

  async run(): Promise<void> {
    const { jobs } = this.#dependencies;
    const { jobId, signal, withText } = this.#stream;
    if (withText && this.#after >= 0) await this.#resume();
    while (!signal.aborted) {
      this.#awakened = Promise.withResolvers();
      if (this.#failure !== null) throw this.#failure.error;
      const events = await jobs.read(jobId, this.#after, ENTRIES_PER_READ);
      for (const event of events) {
        await this.#send(event);
        if (signal.aborted || isJobEnd(event)) return;
      }
      if (events.length === 0) await this.#rest();
    }
  }

  /** Continues the generations that are open at the cursor. */
  async #resume(): Promise<void> {
    const open = new Map<string, Opened>();
    for await (const event of this.#dependencies.jobs.events(this.#stream.jobId)) {
      if (event.seq > this.#after) break;
      if (event.type === 'generation-open') open.set(event.generationId, event);
      if (event.type === 'generation-close' && event.generationId !== null) open.delete(event.generationId);
    }
    for (const event of open.values()) this.#follow(event);
  }

  async #send(event: JobEvent): Promise<void> {
    if (event.type === 'generation-close') {
      const running = this.#running.get(event.generationId ?? '');
      await running?.done;
      if (this.#stream.signal.aborted) return;
      if (running !== undefined) this.#sent.delete(running.open);
      this.#running.delete(event.generationId ?? '');
    }
    if (!(await this.#flow.whenReady()) || this.#stream.signal.aborted) return;
    this.#after = event.seq;
    if (event.type === 'generation-open' && this.#stream.withText) this.#sent.set(event.seq, -1);
    this.#stream.response.write(this.#encode(event.type, event));
    if (event.type === 'generation-open' && this.#stream.withText) this.#follow(event);
  }

  #encode(type: string, event: object): string {
    const cursor = writeJobCursor({ after: this.#after, generations: this.#sent });
    return `id: ${cursor}\nevent: ${type}\ndata: ${JSON.stringify({ ...event, cursor })}\n\n`;
  }

  #follow(opened: Opened): void {
    const done = this.#relay(opened).catch((error: unknown) => {
      // The log of this one generation is past its retention, or was deleted: the job continues without its text.
      if (!isGone(error)) throw error;
    });
    done.catch((error: unknown) => {
      this.#failure ??= { error };
      this.wake();
    });
    this.#running.set(opened.generationId, { open: opened.seq, done });
  }

  async #relay({ seq: open, generationId, step, item }: Opened): Promise<void> {
    const { log } = this.#dependencies;
    const { response, signal } = this.#stream;
    const after = this.#sent.get(open) ?? -1;
    const head = await log.head(generationId);
    // Its last event was sent on an earlier connection.
    if (head === null || (head.status !== 'running' && after >= head.nextSeq - 1)) return;
    const encode = (events: readonly GenerationEvent[]) =>
      events
        .map((event) => {
          this.#sent.set(open, event.seq);
          const type = 'generation-event';
          return this.#encode(type, { type, step, item, generationId, event });
        })
        .join('');
    const sink = createResponseSink(response, { encode, coalesces: true }, this.#flow);
    await relayEvents(this.#dependencies, { generationId, after, sink, signal });
  }

  async #rest(): Promise<void> {
    const { heartbeatMs } = this.#dependencies;
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<'silent'>((resolve) => {
      timer = setTimeout(() => resolve('silent'), heartbeatMs);
    });
    try {
      const why = await Promise.race([this.#awakened.promise, silence]);
      if (why === 'silent' && this.#flow.ready()) this.#stream.response.write(': heartbeat\n\n');
    } finally {
      clearTimeout(timer);
    }
  }
}

function isGone(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'cursor_expired' || error.code === 'not_found')
  );
}
