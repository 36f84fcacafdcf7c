/**
 * `npm run prove -- jobs`: batches by the official clients, some of which wait at vendors, pipelines and schedules,
 * while every kind of process is killed, stopped and cut off. At the end, checks that share no code with the product
 * judge the provider's bill, the files, the documents, what a receiver of webhooks got, and the runs in Temporal.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openRunsOf } from '../matrix/evidence.ts';
import { downOf, harm } from '../matrix/harm.ts';
import { buildStage, type Stage } from '../matrix/stage.ts';
import { createTimeline, type Timeline } from '../matrix/timeline.ts';
import { anthropicCallers, openAiCallers, type Reach, unbrokenCallers } from './callers.ts';
import { countsOf, type Fault } from './checks/fault.ts';
import { scheduleRuns } from './evidence.ts';
import { type BatchLetter, planJobs, planLines, planWait, SCHEDULES } from './plan.ts';
import { Receiver } from './receiver.ts';
import { readJob, runJobs } from './run-jobs.ts';
import { createSchedule, pauseSchedule, type RunSchedule } from './run-schedules.ts';
import { readAnthropicBatch, readOpenAiBatch, sendAnthropicBatch, sendOpenAiBatch } from './send-batches.ts';
import {
  addEndpoints,
  type BatchUser,
  configOf,
  issueKeys,
  type Keys,
  requestWebhook,
  WAITING_WINDOW,
} from './stage-settings.ts';
import {
  dueTicks,
  type Ended,
  type EndedBatch,
  judge,
  nameOf,
  type PausedSchedule,
  type Verdict,
} from './verdict.ts';

export interface JobsPlan {
  /** Of the batch of OpenAI's format; the others have a tenth as many. */
  readonly lines: number;
  readonly pipelines: number;
  /** How long processes are harmed at most; what is not done by then ends in peace. */
  readonly minutes: number;
  readonly seed: number;
}

/** After this without any progress in peace, what is open is stuck. */
const STUCK_MS = 120_000;
const LOOK_AGAIN_MS = 1_000;
const REPORT_MS = 10_000;
const SHOWN = 15;
/** A large batch needs time between two faults, or it takes hours; a small one must not end before the first. */
const LINES_PER_SLOWNESS = 600;
const LEAST_SLOWNESS = 0.25;
const MOST_SLOWNESS = 4;

/** @returns what went wrong. */
export async function proveJobs(plan: JobsPlan): Promise<readonly Fault[]> {
  const { lines, pipelines, minutes, seed } = plan;
  console.log(
    `jobs: ${lines} lines, ${pipelines} pipelines, at most ${minutes} minutes of harm, seed ${seed}`,
  );
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-prove-jobs-'));
  const receiver = new Receiver(seed);
  await receiver.start();
  const few = fewOf(plan);
  const stage = await buildStage(configOf(folder, few), {
    hasReaders: false,
    vendorBatchMs: planWait(few).runMs,
  });
  try {
    const run = new JobsRun(stage, receiver, plan);
    const { ended, kills } = await run.run();
    const verdict = await judge(stage, ended);
    print(plan, ended, verdict, kills);
    return verdict.faults;
  } finally {
    receiver.stop();
    await stage.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface OpenAiBatchPlan {
  readonly user: BatchUser;
  readonly letter: BatchLetter;
  readonly lines: number;
  /** Lines that have ended when it is cancelled. Absent: it is not. */
  readonly cancelAfter?: number;
  /** Its window, in which lines may wait at vendors. Absent: all are called. */
  readonly waitsWithin?: string;
}

interface MessageBatchPlan extends Pick<OpenAiBatchPlan, 'user' | 'letter'> {
  readonly isWaiting: boolean;
}

class JobsRun {
  readonly #stage: Stage;
  readonly #receiver: Receiver;
  readonly #plan: JobsPlan;
  readonly #timeline: Timeline = createTimeline();
  /** Aborted when the stage is taken down. */
  readonly #gone = new AbortController();
  /** What is waited for once everything that was sent has ended. */
  #peace = '';
  readonly #progress: Record<BatchUser | 'jobs', number> = {
    night: 0,
    cancelled: 0,
    messages: 0,
    waiting: 0,
    'waiting-messages': 0,
    jobs: 0,
  };

  constructor(stage: Stage, receiver: Receiver, plan: JobsPlan) {
    this.#stage = stage;
    this.#receiver = receiver;
    this.#plan = plan;
  }

  async run(): Promise<{ ended: Ended; kills: Readonly<Record<string, number>> }> {
    const keys = await issueKeys(this.#stage);
    await addEndpoints(this.#stage, this.#receiver);
    const { seed, lines, minutes } = this.#plan;
    const over = new AbortController();
    const slowness = Math.min(MOST_SLOWNESS, Math.max(LEAST_SLOWNESS, lines / LINES_PER_SLOWNESS));
    const harming = harm(this.#stage, { seed, slowness }, this.#timeline, over.signal);
    const reporting = setInterval(() => this.#report(), REPORT_MS);
    try {
      const sending = this.#send(keys);
      // It is awaited below, unless something else fails first.
      sending.catch(() => undefined);
      await Promise.race([sending, harming, sleep(minutes * 60_000, null, { signal: over.signal })]);
      over.abort();
      const harmed = await harming;
      const sent = await this.#untilDone(sending);
      const schedules = await Promise.all(sent.schedules.map(pause));
      await this.#untilClosed(schedules);
      const endedInPeace = downOf(this.#stage).map((seat) => ({ name: seat.name, log: seat.log() }));
      const ended = { ...sent, schedules, processes: [...harmed.ended, ...endedInPeace] };
      return { ended, kills: { ...harmed.kills, stops: harmed.stops, cuts: harmed.cuts } };
    } finally {
      over.abort();
      this.#gone.abort();
      clearInterval(reporting);
      // Nothing is harmed any more when the stage is taken down.
      await harming.catch(() => undefined);
    }
  }

  /** All that is sent, until it has ended, and what the clients read of it. */
  async #send(keys: Keys) {
    const reach = { apis: this.#stage.apis, signal: this.#gone.signal };
    const { lines, pipelines } = this.#plan;
    const writer = unbrokenCallers(reach, keys.jobs);
    const few = fewOf(this.#plan);
    const cancelAfter = few / 4;
    const webhook = requestWebhook(this.#receiver, 'job');
    const [sent, endedJobs, schedules] = await Promise.all([
      Promise.all([
        this.#sendOpenAi(reach, keys, { user: 'night', letter: 'o', lines }),
        this.#sendOpenAi(reach, keys, { user: 'cancelled', letter: 'c', lines: few, cancelAfter }),
        this.#sendOpenAi(reach, keys, {
          user: 'waiting',
          letter: 'w',
          lines: few,
          waitsWithin: WAITING_WINDOW,
        }),
        this.#sendAnthropic(reach, keys, { user: 'messages', letter: 'a', isWaiting: false }),
        this.#sendAnthropic(reach, keys, { user: 'waiting-messages', letter: 'm', isWaiting: true }),
      ]),
      runJobs(writer, planJobs(pipelines), webhook, this.#count('jobs')),
      Promise.all(SCHEDULES.map((plan) => createSchedule(reach, keys.schedules.get(plan.user) ?? '', plan))),
    ]);
    const jobs = await Promise.all(endedJobs.map((job) => readJob(writer, job)));
    const callers = [writer, ...[...sent, ...schedules].map((own) => own.callers)];
    return {
      batches: sent.map(({ batch }) => batch),
      jobs,
      schedules,
      receiver: this.#receiver,
      unclear: callers.flatMap(({ faults }) => faults),
      silences: callers.reduce((sum, { silences }) => sum + silences, 0),
    };
  }

  async #sendOpenAi(reach: Reach, keys: Keys, order: OpenAiBatchPlan) {
    const { user, letter, lines, cancelAfter = null, waitsWithin = null } = order;
    const callers = openAiCallers(reach, keys.batches[user]);
    const plan = planLines(this.#plan.seed, letter, lines);
    const webhook = requestWebhook(this.#receiver, 'batch');
    const sent = { lines: plan, name: user, webhook, cancelAfter, waitsWithin };
    const ended = await sendOpenAiBatch(callers, sent, this.#count(user));
    const read = await readOpenAiBatch(callers, ended);
    // Both the webhook of the request, and the endpoint of the tenant.
    const receivers = ['batch', 'acme'];
    return { callers, batch: { ...read, tenant: 'acme', user, plan, receivers } satisfies EndedBatch };
  }

  async #sendAnthropic(reach: Reach, keys: Keys, { user, letter, isWaiting }: MessageBatchPlan) {
    const callers = anthropicCallers(reach, keys.batches[user]);
    const plan = planLines(this.#plan.seed, letter, fewOf(this.#plan));
    const order = { lines: plan, name: user, isWaiting };
    const id = await sendAnthropicBatch(callers, order, this.#count(user));
    const read = await readAnthropicBatch(callers, id);
    const receivers = ['globex'];
    return { callers, batch: { ...read, tenant: 'globex', user, plan, receivers } satisfies EndedBatch };
  }

  #count(name: BatchUser | 'jobs'): (ended: number) => void {
    return (ended) => {
      this.#progress[name] = ended;
    };
  }

  /** @throws if nothing has advanced for too long */
  async #untilDone<Result>(work: Promise<Result>): Promise<Result> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    let last = { at: Date.now(), progress: '' };
    while (!isDone) {
      const progress = JSON.stringify([this.#progress, this.#receiver.received.length]);
      if (progress !== last.progress) last = { at: Date.now(), progress };
      if (Date.now() - last.at > STUCK_MS)
        throw new Error(`Nothing has advanced for two minutes: ${this.#state()}`);
      await Promise.race([done, sleep(LOOK_AGAIN_MS)]);
    }
    return await done;
  }

  /** Until every tick has run and no run is open, deliveries included; or nothing has moved for too long. */
  async #untilClosed(schedules: readonly PausedSchedule[]): Promise<void> {
    const due = schedules.reduce((sum, schedule) => sum + dueTicks(schedule).length, 0);
    let last = { at: Date.now(), state: '' };
    for (;;) {
      const { length: open } = await openRunsOf(this.#stage);
      const runs = [...(await scheduleRuns(this.#stage, schedules.map(nameOf))).values()];
      const ticks = runs.reduce((sum, own) => sum + own.runs.length, 0);
      if (open === 0 && ticks >= due) return;
      const state = `${open} runs are open, ${ticks} of ${due} ticks have run`;
      if (state !== last.state) last = { at: Date.now(), state };
      this.#peace = state;
      if (Date.now() - last.at > STUCK_MS) return;
      await sleep(LOOK_AGAIN_MS);
    }
  }

  #state(): string {
    const { night, cancelled, messages, waiting, 'waiting-messages': waitingMessages, jobs } = this.#progress;
    const { lines: all, pipelines } = this.#plan;
    const { received } = this.#receiver;
    return (
      `${night} of ${all} lines, ${cancelled} of the batch that is cancelled, ${messages} of the message batch, ` +
      `${waiting} and ${waitingMessages} of those that wait at vendors, ` +
      `${jobs} of ${pipelines} jobs, ${received.length} deliveries ${this.#peace}`
    );
  }

  #report(): void {
    const seconds = Math.round((Date.now() - this.#timeline.beganAtMs) / 1_000);
    process.stderr.write(`  ${seconds} s: ${this.#state()}\n`);
  }
}

function fewOf({ lines }: Pick<JobsPlan, 'lines'>): number {
  return Math.max(1, Math.round(lines / 10));
}

async function pause(schedule: RunSchedule): Promise<PausedSchedule> {
  if (schedule.plan.backfill !== null) return { ...schedule, pausedAtMs: 0, pauseConfirmedAtMs: 0 };
  const pausedAtMs = await pauseSchedule(schedule);
  return { ...schedule, pausedAtMs, pauseConfirmedAtMs: Date.now() };
}

function print(
  plan: JobsPlan,
  { batches, jobs, receiver, silences }: Ended,
  { faults, bill, ticks, answeredAtVendors }: Verdict,
  kills: Readonly<Record<string, number>>,
): void {
  const { lines, pipelines, minutes, seed } = plan;
  const read = batches.flatMap((batch) => batch.lines);
  const codes = Object.entries(Object.groupBy(read, ({ code }) => code || 'completed'));
  const ends = Object.entries(Object.groupBy(jobs, ({ view }) => view.status));
  const listed = (counts: readonly [string, readonly unknown[] | undefined][]) =>
    counts.map(([name, of = []]) => `${of.length} ${name}`).join(', ');
  const { received } = receiver;
  const ids = new Set(received.map(({ webhookId }) => webhookId));
  console.log(
    `lines: ${listed(codes)}; jobs: ${listed(ends)}; ${ticks} ticks of schedules; ${silences} calls without an answer`,
  );
  console.log(
    `deliveries: ${received.length} of ${ids.size} events, ${receiver.refused} attempts refused or cut by the receiver`,
  );
  console.log(`batches at vendors: ${answeredAtVendors} lines answered`);
  const { exact, orphaned } = bill;
  console.log(
    `bill: provider ${exact.billed} = ledger ${exact.booked} tokens; ` +
      `orphaned ${orphaned.marks} requests, billed ${orphaned.billed}, booked by estimate ${orphaned.booked}`,
  );
  const harms = Object.entries(kills).filter(([, count]) => count > 0);
  console.log(`harm: ${harms.map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
  for (const { wrong, about, detail } of faults.slice(0, SHOWN))
    console.log(`FAULT ${wrong} ${about} ${detail}`);
  if (faults.length > 0)
    console.log(
      `repeat: npm run prove -- jobs --lines ${lines} --pipelines ${pipelines} --minutes ${minutes} --seed ${seed}`,
    );
  console.log(`${resultLine(read.length, faults)} jobs ${jobs.length} seed ${seed}`);
}

function resultLine(lines: number, faults: readonly Fault[]): string {
  return `lines ${lines} ${countsOf(faults)}`;
}
