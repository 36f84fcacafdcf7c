/**
 * `npm run prove -- matrix`: generations under load, while every kind of process is killed, stopped and cut off. At the
 * end the evidence is judged by checks that share no code with what they judge.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Finding } from './checks/finding.ts';
import { harm } from './harm.ts';
import { load } from './load.ts';
import { isEncrypted, sharingOf, type Tenant } from './plan.ts';
import { configOf, issueKeys, limitsFor } from './settings.ts';
import { buildStage, type Stage } from './stage.ts';
import { createTimeline, type Timeline } from './timeline.ts';
import { judgeInPeace } from './verdict.ts';

interface MatrixPlan {
  readonly minutes: number;
  readonly seed: number;
  /** Callers. */
  readonly atOnce: number;
}

const ENCRYPTION_KEY = `matrix:${Buffer.alloc(32, 7).toString('base64')}`;

/** @returns what went wrong. */
export async function proveMatrix(plan: MatrixPlan): Promise<readonly Finding[]> {
  const { minutes, seed } = plan;
  console.log(`matrix: ${minutes} minutes, ${plan.atOnce} callers at once, seed ${seed}`);
  const limits = limitsFor(minutes);
  const sharing = sharingOf(seed);
  const env: Record<string, string> = isEncrypted(seed) ? { UNBROKEN_ENCRYPTION_KEYS: ENCRYPTION_KEY } : {};
  console.log(
    `answers are shared by ${sharing}; Temporal's payloads are ${isEncrypted(seed) ? 'encrypted' : 'plain'}`,
  );
  const stage = await buildStage((provider) => configOf(limits, provider, sharing), { env });
  try {
    const keys = await issueKeys(stage);
    const timeline = createTimeline();
    const [done, harmed] = await underHarm(stage, keys, plan, timeline);
    const { findings, counts } = await judgeInPeace(stage, done, harmed.ended, {
      seed,
      keys,
      limits,
      timeline,
    });
    const kills = Object.values(harmed.kills).reduce((sum, count) => sum + count, 0);
    console.log(
      `harm: ${Object.entries(harmed.kills)
        .map(([kind, count]) => `${kind} ${count}`)
        .join(', ')} killed; ` +
        `${harmed.stops} stopped, ${harmed.cuts} wires cut, ${harmed.backlogs} backlogs`,
    );
    if (findings.length > 0)
      console.log(`repeat: npm run prove -- matrix --minutes ${minutes} --seed ${seed}`);
    console.log(`generations ${done.accepted.length} kills ${kills} ${counts} seed ${seed}`);
    return findings;
  } finally {
    await stage.stop();
  }
}

async function underHarm(
  stage: Stage,
  keys: Record<Tenant, string>,
  { minutes, seed, atOnce }: MatrixPlan,
  timeline: Timeline,
) {
  const over = new AbortController();
  const loading = load(stage, keys, { seed, atOnce, timeline }, over.signal);
  const harming = harm(stage, { seed }, timeline, over.signal);
  try {
    await Promise.race([sleep(minutes * 60_000), loading, harming]);
  } finally {
    over.abort();
    // Nothing is harmed or asked any more when the stage is taken down.
    await Promise.allSettled([loading, harming]);
  }
  return await Promise.all([loading, harming]);
}
