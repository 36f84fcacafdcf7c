/** Has all that was sent and received judged by checks that share no code with what they judge. */
import { truthOf } from '../../../tools/simulator/true-text.ts';
import { checkBudgets } from '../check-budget.ts';
import { checkProcesses, type EndedProcess } from '../matrix/checks/check-processes.ts';
import { openRunsOf, readBill } from '../matrix/evidence.ts';
import { withRedis } from '../matrix/logs.ts';
import type { Stage } from '../matrix/stage.ts';
import {
  type BillVerdict,
  type BookedEntry,
  checkBills,
  checkShown,
  type Payer,
  type Shown,
} from './checks/check-bills.ts';
import { checkDeliveries, type ExpectedDelivery } from './checks/check-deliveries.ts';
import { checkDocument } from './checks/check-documents.ts';
import { checkLines } from './checks/check-lines.ts';
import { checkTicks, ticksBetween } from './checks/check-ticks.ts';
import { type Fault, fault } from './checks/fault.ts';
import { type Evidence, gather, tokensOf } from './evidence.ts';
import {
  documentOf,
  joinSections,
  markIn,
  OUTLINE,
  type PlannedJob,
  type PlannedLine,
  STEP_PROMPTS,
  tickPrompt,
} from './plan.ts';
import type { Receiver } from './receiver.ts';
import type { RunJob } from './run-jobs.ts';
import type { RunSchedule } from './run-schedules.ts';
import type { SentBatch } from './send-batches.ts';
import { type BatchUser, TENANTS, type Tenant } from './stage-settings.ts';

export interface EndedBatch extends SentBatch {
  readonly tenant: Tenant;
  /** Who alone pays for it. */
  readonly user: BatchUser;
  readonly plan: readonly PlannedLine[];
  /** Receivers of its end. */
  readonly receivers: readonly string[];
}

export interface PausedSchedule extends RunSchedule {
  /** When its pause was requested and when that was confirmed; of a backfill, both are 0. */
  readonly pausedAtMs: number;
  readonly pauseConfirmedAtMs: number;
}

export interface Ended {
  readonly batches: readonly EndedBatch[];
  readonly jobs: readonly RunJob[];
  readonly schedules: readonly PausedSchedule[];
  readonly receiver: Receiver;
  /** Answers of the API that left a caller at a loss. */
  readonly unclear: readonly Fault[];
  /** Calls that were sent again because no answer came. */
  readonly silences: number;
  readonly processes: readonly EndedProcess[];
}

export interface Verdict {
  readonly faults: readonly Fault[];
  readonly bill: BillVerdict;
  readonly ticks: number;
  /** Lines that the bill has as lines of vendors' batches. */
  readonly answeredAtVendors: number;
}

export async function judge(stage: Stage, ended: Ended): Promise<Verdict> {
  const { batches, jobs, schedules, receiver, unclear, processes } = ended;
  const evidence = await gather(stage, TENANTS, schedules.map(nameOf));
  const { ledger } = evidence;
  const calls = await readBill(stage.journalPath);
  const payers = payersOf(ended, evidence);
  const bill = checkBills({ ...evidence, payers, calls, markIn });
  const answeredAtVendors = calls.filter(({ id }) => VENDOR_LINE.test(id)).length;
  const faults = [
    ...(answeredAtVendors > 0 ? [] : [fault('unexplained', 'vendors', 'no line was answered in a batch')]),
    ...batches.flatMap(checkStatus),
    ...batches.flatMap(({ plan, lines, status }) =>
      checkLines(
        plan.map((line) => expectedLine(line, status)),
        lines,
      ),
    ),
    ...jobs.flatMap(({ plan, view }) => checkDocument(endedJob(view), documentFor(plan))),
    ...bill.faults,
    ...shownOf(ended, ledger).flatMap(checkShown),
    ...checkDeliveries(deliveriesOf(ended), receiver.received),
    ...schedules.flatMap((schedule) => checkSchedule(schedule, evidence)),
    ...(await openRunsOf(stage)).map((run) => fault('unended', run, 'its run is open')),
    ...checkProcesses(processes).map(({ detail }) => fault('ended_by_itself', '', detail)),
    ...unclear,
    ...(await checkBooks(stage)),
  ];
  const ticks = [...evidence.schedules.values()].reduce((sum, { runs }) => sum + runs.length, 0);
  return { faults, bill, ticks, answeredAtVendors };
}

/** The simulated vendor bills a line of a batch under the ids of both. */
const VENDOR_LINE = /^(?:batch|msgbatch)_\w+\//;

function expectedLine({ customId, isRefused, prompt }: PlannedLine, status: SentBatch['status']) {
  return { customId, isRefused, isCancelled: status === 'cancelled', text: textOf(prompt) };
}

/** The one that was cancelled may have ended before. */
function checkStatus({ id, user, status }: EndedBatch): Fault[] {
  if (status === 'completed' || (status === 'cancelled' && user === 'cancelled')) return [];
  return [fault('lost', id, `it is ${status}`)];
}

function textOf(prompt: string, output?: { readonly schema: Record<string, unknown> }): string {
  return truthOf({ messages: [{ role: 'user', content: prompt }], output }).text;
}

function endedJob({ id, status, output, error }: RunJob['view']) {
  return { id, status, document: output, errorCode: error?.code ?? null };
}

/** What the provider's answers make, step by step. */
function documentFor({ name, topic }: PlannedJob): string {
  const outline = JSON.parse(textOf(STEP_PROMPTS.outline(name, topic), OUTLINE)) as { sections: string[] };
  const sections = outline.sections.map((heading, index) =>
    textOf(STEP_PROMPTS.section(name, String(index), heading)),
  );
  const edit = textOf(STEP_PROMPTS.edit(name, joinSections(sections)));
  return documentOf(textOf(STEP_PROMPTS.title(name)), edit);
}

function payersOf({ batches, jobs, schedules }: Ended, evidence: Evidence): Payer[] {
  const lines = batches.flatMap(({ plan, lines: read }) => {
    const ids = new Map(read.map(({ customId, generationId }) => [customId, generationId]));
    return plan.flatMap(({ customId, mark }) => {
      const id = ids.get(customId);
      return id == null ? [] : [{ mark, generationIds: [id] }];
    });
  });
  const steps = jobs.flatMap(({ plan, generations }) => {
    const byMark = Map.groupBy(generations, ({ step, item }) =>
      item === null ? `step-${plan.name}.${step};` : `step-${plan.name}.${step}.${item};`,
    );
    return [...byMark].map(([mark, own]) => ({ mark, generationIds: own.map((each) => each.generationId) }));
  });
  const ticks = schedules.map(({ id, plan }) => ({
    mark: markIn(tickPrompt(plan)) ?? '',
    generationIds: evidence.schedules.get(id)?.started ?? [],
  }));
  return [...lines, ...steps, ...ticks];
}

function shownOf({ batches, jobs }: Ended, ledger: readonly BookedEntry[]): Shown[] {
  return [
    ...batches.flatMap(({ id, shown, tenant, user }) => {
      const booked = ledger.filter((entry) => entry.tenant === tenant && entry.user === user);
      return shown === null ? [] : [{ name: id, ...shown, booked }];
    }),
    ...jobs.map(({ view: { id, usage, costMicroUsd }, generations }) => {
      const ids = new Set(generations.map(({ generationId }) => generationId));
      const booked = ledger.filter(({ generation }) => ids.has(generation));
      return { name: id, tokens: tokensOf(usage), costMicroUsd, booked };
    }),
  ];
}

function deliveriesOf({ batches, jobs }: Ended): ExpectedDelivery[] {
  return [
    ...batches.flatMap(({ id, receivers, status }) =>
      receivers.map((receiver) => ({ receiver, type: `batch.${status}`, dataId: id })),
    ),
    // The endpoint of this tenant is notified of each line.
    ...batches
      .filter(({ tenant }) => tenant === 'globex')
      .flatMap(({ lines }) => lines)
      .flatMap(({ generationId, kind }) =>
        generationId === null || kind !== 'completed'
          ? []
          : [
              {
                receiver: 'globex',
                type: 'response.completed',
                dataId: generationId.replace(/^gen_/, 'resp_'),
              },
            ],
      ),
    ...jobs.flatMap(({ plan, view: { id, status } }) => [
      ...(plan.isApproved && status === 'completed'
        ? [{ receiver: 'job', type: 'job.approval_required', dataId: id }]
        : []),
      { receiver: 'job', type: `job.${status}`, dataId: id },
      ...(status === 'completed' ? [{ receiver: 'acme', type: 'job.completed', dataId: id }] : []),
    ]),
  ];
}

export function nameOf({ id, plan }: RunSchedule) {
  return { id, user: plan.user };
}

/** Ticks that must have a run. */
export function dueTicks({ plan, confirmedAtMs, pausedAtMs }: PausedSchedule): number[] {
  const { everyMs, backfill } = plan;
  return backfill === null
    ? ticksBetween(everyMs, confirmedAtMs, pausedAtMs)
    : ticksBetween(everyMs, Date.parse(backfill.from), Date.parse(backfill.until));
}

function checkSchedule(schedule: PausedSchedule, { schedules, ledger }: Evidence): Fault[] {
  const { id, plan, askedAtMs, confirmedAtMs, pausedAtMs, pauseConfirmedAtMs } = schedule;
  const { runs = [], started = [] } = schedules.get(id) ?? {};
  const charged = ledger.filter(({ user }) => user === plan.user).map(({ generation }) => generation);
  const evidence = { user: plan.user, runs, started, charged };
  const { everyMs } = plan;
  const due = dueTicks(schedule);
  if (plan.backfill !== null) return checkTicks({ ...evidence, due, possible: [] });
  const possible = [
    ...ticksBetween(everyMs, askedAtMs, confirmedAtMs),
    ...ticksBetween(everyMs, pausedAtMs, pauseConfirmedAtMs),
  ];
  return checkTicks({ ...evidence, due, possible });
}

async function checkBooks(stage: Stage): Promise<Fault[]> {
  return await withRedis(stage.direct.REDIS_URL, async (redis) => {
    const faults: Fault[] = [];
    for (const tenant of TENANTS) {
      const { leaked, unbalanced, examples } = await checkBudgets(redis, tenant, []);
      if (leaked + unbalanced > 0) faults.push(fault('leaked', tenant, examples.join('; ')));
    }
    return faults;
  });
}
