/** Waits until all is at rest, and has the evidence judged by checks that share no code with what they judge. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type CheckedLimit, checkBudgets } from '../check-budget.ts';
import { checkAnswers } from './checks/check-answers.ts';
import { checkBill } from './checks/check-bill.ts';
import { checkAttempts, checkEnded, checkRuns } from './checks/check-ended.ts';
import { checkFlights } from './checks/check-flights.ts';
import { checkProcesses, type EndedProcess } from './checks/check-processes.ts';
import { checkCancelled, checkDeleted, checkReadAfterDelete, checkReasons } from './checks/check-promises.ts';
import { checkSequence } from './checks/check-sequence.ts';
import { checkCache, checkFollowed, checkSecrets } from './checks/check-tenants.ts';
import { checkText } from './checks/check-text.ts';
import { type Finding, finding, WRONGS } from './checks/finding.ts';
import {
  type Evidence,
  type GenerationEvidence,
  gather,
  gatherGenerations,
  openRunsOf,
  storyOf,
} from './evidence.ts';
import { downOf } from './harm.ts';
import type { LoadDone } from './load.ts';
import { withRedis } from './logs.ts';
import { secretOf, sharingOf, TENANTS, type Tenant } from './plan.ts';
import type { Stage } from './stage.ts';
import type { Timeline } from './timeline.ts';

/** After this of peace, whatever is open is stuck. */
const PEACE_MS = 120_000;
const LOOK_AGAIN_MS = 500;
const SHOWN = 12;

interface Case {
  readonly seed: number;
  readonly keys: Readonly<Record<Tenant, string>>;
  readonly limits: readonly CheckedLimit[];
  readonly timeline: Timeline;
}

interface Verdict {
  readonly findings: readonly Finding[];
  /** One count for each kind of fault, as text. */
  readonly counts: string;
}

/** Prints what came of the load, and each fault with the life of its generation. */
export async function judgeInPeace(
  stage: Stage,
  done: LoadDone,
  endedUnderHarm: readonly EndedProcess[],
  { timeline, ...plan }: Case,
): Promise<Verdict> {
  await untilPeaceful(stage, done, timeline);
  const endedInPeace = downOf(stage).map((seat) => ({ name: seat.name, log: seat.log() }));
  const evidence = await gather(stage, done.accepted);
  const findings = [
    ...checkProcesses([...endedUnderHarm, ...endedInPeace]),
    ...(await judge(stage, evidence, done, plan)),
    ...unclearFindings(done),
  ];
  printEnds(evidence, done);
  for (const finding of findings.slice(0, SHOWN)) printFinding(finding, evidence, timeline);
  for (const runId of evidence.openRuns.slice(0, SHOWN)) {
    console.log([`open run ${runId}`, ...(await storyOf(stage, runId))].join('\n  '));
  }
  const counts = WRONGS.map(
    (wrong) => `${wrong} ${findings.filter((finding) => finding.wrong === wrong).length}`,
  );
  return { findings, counts: counts.join(' ') };
}

/** Until every reader has its end and every run is closed, or the time for it is up. */
async function untilPeaceful(stage: Stage, { accepted }: LoadDone, timeline: Timeline): Promise<void> {
  const deadline = Date.now() + PEACE_MS;
  let open = accepted;
  for (;;) {
    const generations = await gatherGenerations(stage, open);
    open = generations
      .filter((generation) => openFindings(generation).length > 0)
      .map(({ accepted }) => accepted);
    const isOver = open.length === 0 && (await openRunsOf(stage)).length === 0;
    if (isOver || Date.now() > deadline) break;
    await sleep(LOOK_AGAIN_MS);
  }
  timeline.note(Date.now() > deadline ? 'something is open still' : 'all has ended');
}

function openFindings(generation: GenerationEvidence): Finding[] {
  const { accepted, readings } = generation;
  const isDeleted = accepted.deletedAtMs !== null;
  return [...readings.flatMap((reading) => checkSequence(reading, { isDeleted })), ...checkEnded(generation)];
}

async function judge(
  stage: Stage,
  evidence: Evidence,
  done: LoadDone,
  { seed, keys, limits }: Omit<Case, 'timeline'>,
): Promise<Finding[]> {
  const { generations } = evidence;
  const bill = checkBill(evidence);
  console.log(
    `bill: provider ${bill.exact.billed} = ledger ${bill.exact.booked} tokens; ` +
      `orphaned ${bill.orphaned.requests} requests, billed ${bill.orphaned.billed}, booked by estimate ${bill.orphaned.booked}`,
  );
  const secrets = Object.fromEntries(
    TENANTS.map((tenant) => [tenant, [keys[tenant], secretOf(seed, tenant)]]),
  ) as unknown as Record<Tenant, string[]>;
  const seen = [
    ...done.seen,
    ...generations.map(({ accepted, readings, log }) => ({
      tenant: accepted.plan.tenant,
      what: JSON.stringify([readings, log]),
    })),
  ];
  return [
    ...generations.flatMap((generation) => [
      ...openFindings(generation),
      ...checkText(generation),
      ...checkAnswers(generation),
      ...checkAttempts(generation, INTERRUPTIONS),
      ...checkCancelled(generation),
      ...checkDeleted(generation, evidence.cached),
      ...checkReasons(generation),
    ]),
    ...checkRuns(evidence),
    ...bill.findings,
    ...checkFlights(evidence),
    ...checkReadAfterDelete(done),
    ...checkCache(generations, sharingOf(seed)),
    ...checkFollowed(generations, sharingOf(seed)),
    ...checkSecrets(seen, secrets),
    ...(await judgeBudgets(stage, limits)),
  ];
}

/** A generation lives for a minute at most; harm comes every two seconds, and one in seven meets its worker. */
const INTERRUPTIONS = 20;

async function judgeBudgets(stage: Stage, limits: readonly CheckedLimit[]): Promise<Finding[]> {
  return await withRedis(stage.direct.REDIS_URL, async (redis) => {
    const found: Finding[] = [];
    for (const tenant of TENANTS) {
      const { overspent, leaked, unbalanced, examples } = await checkBudgets(redis, tenant, limits);
      const many = (count: number, wrong: 'overspent' | 'leaked') =>
        Array.from({ length: count }, () => finding(wrong, '', `${tenant}: ${examples.join('; ')}`));
      found.push(...many(overspent, 'overspent'), ...many(leaked + unbalanced, 'leaked'));
    }
    return found;
  });
}

/** An answer that tells a caller nothing to do is a request lost, and one that another tenant got is worse. */
function unclearFindings({ unclear }: LoadDone): Finding[] {
  return unclear.map((what) =>
    finding(/ by /.test(what) ? 'cross_tenant' : 'lost', '', `unclear answer: ${what}`),
  );
}

function printEnds({ generations }: Evidence, { refused, silences }: LoadDone): void {
  const ends = Object.groupBy(generations, ({ log }) => {
    const last = log.at(-1);
    if (last?.type === 'generation-error') return last.error.code;
    if (last?.type === 'generation-end') return last.cached ? 'cached' : last.finishReason;
    return last?.type ?? 'none';
  });
  const readings = generations.flatMap((generation) => generation.readings);
  const starts = generations.flatMap(({ log }) => log.filter(({ type }) => type === 'provider-start'));
  const counts = Object.entries(ends).map(([end, of = []]) => `${of.length} ${end}`);
  console.log(
    `ends: ${counts.join(', ')}; ${refused} refused for their budget, ${silences} calls without an answer; ${readings.length} readers, ${starts.length} attempts`,
  );
}

function printFinding(
  { wrong, generationId, detail }: Finding,
  evidence: Evidence,
  timeline: Timeline,
): void {
  console.log(`FAULT ${wrong} ${generationId} ${detail}`);
  for (const generation of evidence.generations)
    if (generation.accepted.id === generationId) printLife(generation, timeline);
}

/** An id has two lives where its log expired between them. */
function printLife({ accepted, log, run }: GenerationEvidence, timeline: Timeline): void {
  const { name, kind, body, fault, cancelAfterMs, deleteAfterMs, tenant } = accepted.plan;
  const { model, deadlineMs } = body;
  console.log(
    `  request ${name} (${kind}) of ${tenant}: ${JSON.stringify({ model, deadlineMs, fault, cancelAfterMs, deleteAfterMs })}, run ${run}`,
  );
  const seconds = (atMs: number) => ((atMs - timeline.beganAtMs) / 1_000).toFixed(1).padStart(7);
  const steps = log
    .filter(({ type }) => !type.endsWith('-delta'))
    .map(
      (event) =>
        `${seconds(event.at)} s    ${event.seq} ${JSON.stringify({ ...event, at: undefined, seq: undefined }).slice(0, 260)}`,
    );
  const until = (log.at(-1)?.at ?? accepted.deletedAtMs ?? Date.now()) + 2_000;
  const lines = [...timeline.between(accepted.acceptedAtMs - 5_000, until), ...steps];
  for (const line of lines.sort((a, b) => Number.parseFloat(a) - Number.parseFloat(b)))
    console.log(`  ${line}`);
}
