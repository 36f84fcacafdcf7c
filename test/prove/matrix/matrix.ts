/**
 * `npm run prove -- matrix`: generations under load, while every kind of process is killed, stopped and cut off. At the
 * end the evidence is judged by checks that share no code with what they judge.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'redis';
import { addKey } from '../../harness/stack.ts';
import { connectApi } from '../../harness/unbroken-api.ts';
import { type CheckedLimit, checkBudgets } from '../check-budget.ts';
import { checkAnswers } from './checks/check-answers.ts';
import { checkBill } from './checks/check-bill.ts';
import { checkAttempts, checkEnded, checkRuns } from './checks/check-ended.ts';
import { checkFlights } from './checks/check-flights.ts';
import { checkProcesses } from './checks/check-processes.ts';
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
import { downOf, harm } from './harm.ts';
import { type LoadDone, load } from './load.ts';
import {
  isEncrypted,
  LIMITED_PROVIDER,
  MODELS,
  type Sharing,
  secretOf,
  sharingOf,
  TENANTS,
  type Tenant,
} from './plan.ts';
import { buildStage, type Stage } from './stage.ts';
import { createTimeline, type Timeline } from './timeline.ts';

interface MatrixPlan {
  readonly minutes: number;
  readonly seed: number;
  /** Callers. */
  readonly atOnce: number;
}

const PRICE = { inputMicroUsdPerMillion: 2_000_000, outputMicroUsdPerMillion: 8_000_000 };
/** After this of peace, whatever is open is stuck. */
const PEACE_MS = 120_000;
const LOOK_AGAIN_MS = 500;
const ENCRYPTION_KEY = `matrix:${Buffer.alloc(32, 7).toString('base64')}`;
const SHOWN = 12;

/** @returns whether nothing went wrong. */
export async function proveMatrix(plan: MatrixPlan): Promise<boolean> {
  const { minutes, seed } = plan;
  console.log(`matrix: ${minutes} minutes, ${plan.atOnce} callers at once, seed ${seed}`);
  const limits = limitsFor(minutes);
  const sharing = sharingOf(seed);
  const env: Record<string, string> = isEncrypted(seed) ? { UNBROKEN_ENCRYPTION_KEYS: ENCRYPTION_KEY } : {};
  console.log(
    `answers are shared by ${sharing}; Temporal's payloads are ${isEncrypted(seed) ? 'encrypted' : 'plain'}`,
  );
  const stage = await buildStage((provider) => configOf(limits, provider, sharing), env);
  try {
    const keys = await issueKeys(stage);
    const timeline = createTimeline();
    const [done, harmed] = await underHarm(stage, keys, plan, timeline);
    await untilPeaceful(stage, done, timeline);
    const endedInPeace = downOf(stage).map((seat) => ({ name: seat.name, log: seat.log() }));
    const ended = [...harmed.ended, ...endedInPeace];
    const evidence = await gather(stage, done.accepted);
    const findings = [
      ...checkProcesses(ended),
      ...(await judge(stage, evidence, done, { seed, keys, limits })),
      ...unclearFindings(done),
    ];
    const kills = Object.values(harmed.kills).reduce((sum, count) => sum + count, 0);
    printEnds(evidence, done);
    console.log(
      `harm: ${Object.entries(harmed.kills)
        .map(([kind, count]) => `${kind} ${count}`)
        .join(', ')} killed; ` +
        `${harmed.stops} stopped, ${harmed.cuts} wires cut, ${harmed.backlogs} backlogs`,
    );
    for (const finding of findings.slice(0, SHOWN)) printFinding(finding, evidence, timeline);
    for (const runId of evidence.openRuns.slice(0, SHOWN)) {
      console.log([`open run ${runId}`, ...(await storyOf(stage, runId))].join('\n  '));
    }
    if (findings.length > 0)
      console.log(`repeat: npm run prove -- matrix --minutes ${minutes} --seed ${seed}`);
    const counts = WRONGS.map(
      (wrong) => `${wrong} ${findings.filter((finding) => finding.wrong === wrong).length}`,
    );
    console.log(`generations ${done.accepted.length} kills ${kills} ${counts.join(' ')} seed ${seed}`);
    return findings.length === 0;
  } finally {
    await stage.stop();
  }
}

function limitsFor(minutes: number): CheckedLimit[] {
  const share = Math.max(0.5, minutes);
  const perUser = { per: 'user', window: 'day', unit: 'tokens', timeZone: 'UTC' } as const;
  return [
    { ...perUser, id: '*', amount: Math.round(120_000 * share) },
    // One user of each tenant is at the cap most of the time.
    ...TENANTS.map((tenant) => ({ ...perUser, id: `${tenant}-user-1`, amount: Math.round(1_500 * share) })),
    {
      ...perUser,
      per: 'key',
      window: 'month',
      unit: 'micro-usd',
      id: '*',
      amount: Math.round(2_000_000 * share),
    },
  ];
}

function configOf(limits: readonly CheckedLimit[], sharedProvider: string, sharing: Sharing): object {
  return {
    breaker: { minCalls: 1_000_000 },
    providers: {
      [LIMITED_PROVIDER]: {
        wire: 'openai-responses',
        baseUrl: `${sharedProvider}/v1`,
        // Of four that come at once, two wait for longer than a worker waits by itself.
        limits: { requests: 2, windowMs: 4_000 },
      },
    },
    prices: Object.fromEntries(MODELS.map((model) => [model, PRICE])),
    budgets: { limits },
    cache: { share: sharing },
    limits: {
      heartbeatMs: 1_000,
      connectMs: 2_000,
      firstTokenMs: 4_000,
      betweenTokensMs: 4_000,
      generationMs: 60_000,
    },
  };
}

async function issueKeys(stage: Stage): Promise<Record<Tenant, string>> {
  const api = connectApi(stage.apis[0] ?? '', stage.devKey);
  const keys = await Promise.all(
    TENANTS.map(
      async (tenant) => [tenant, await addKey(api, { tenant, user: `${tenant}-backend` })] as const,
    ),
  );
  return Object.fromEntries(keys) as Record<Tenant, string>;
}

async function underHarm(
  stage: Stage,
  keys: Record<Tenant, string>,
  { minutes, seed, atOnce }: MatrixPlan,
  timeline: Timeline,
) {
  const over = new AbortController();
  const loading = load(stage, keys, { seed, atOnce, timeline }, over.signal);
  const harming = harm(stage, seed, timeline, over.signal);
  try {
    await Promise.race([sleep(minutes * 60_000), loading, harming]);
  } finally {
    over.abort();
    // Nothing is harmed or asked any more when the stage is taken down.
    await Promise.allSettled([loading, harming]);
  }
  return await Promise.all([loading, harming]);
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
  { seed, keys, limits }: { seed: number; keys: Record<Tenant, string>; limits: readonly CheckedLimit[] },
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
  const redis = createClient({ url: stage.direct.REDIS_URL });
  await redis.connect();
  try {
    const found: Finding[] = [];
    for (const tenant of TENANTS) {
      const { overspent, leaked, unbalanced, examples } = await checkBudgets(redis, tenant, limits);
      const many = (count: number, wrong: 'overspent' | 'leaked') =>
        Array.from({ length: count }, () => finding(wrong, '', `${tenant}: ${examples.join('; ')}`));
      found.push(...many(overspent, 'overspent'), ...many(leaked + unbalanced, 'leaked'));
    }
    return found;
  } finally {
    redis.destroy();
  }
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
