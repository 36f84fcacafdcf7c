/**
 * A generation that asks what another one is answering at this moment follows that one's log instead of calling the
 * provider. Where the leader stands is kept with the text in the follower's own log, so a follower that crashes goes
 * on where it was. A leader that fails, is cancelled, falls silent or voids its text is left: the follower goes on by
 * itself from what it has delivered.
 */
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { cacheUseOf } from '../contracts/cache-mode.ts';
import type { EventBody, GenerationEvent } from '../contracts/events.ts';
import type { FinishReason, GenerationInput } from '../contracts/generation.ts';
import { LIMITS } from '../contracts/limits.ts';
import { addUsage, NO_USAGE } from '../contracts/money.ts';
import { splitCost, type Used } from '../contracts/share.ts';
import type { GenerationOutcome, StreamStep } from '../contracts/steps.ts';
import type { OpenedLog } from '../streaming/event-log.ts';
import { createBell } from './bell.ts';
import type { Dependencies } from './dependencies.ts';
import type { GenerationRecord } from './generation-record.ts';
import { questionOf } from './look-up-cache.ts';
import { budgetNotes } from './note-budget.ts';
import type { StreamControl } from './running-streams.ts';

/** Kept beside the text of a follower: whom it follows, and how far it has copied. */
const followedSchema = z.object({
  leader: z.string(),
  leaderSeq: z.number(),
  flight: z.object({ partition: z.string(), key: z.string() }),
  shares: z.boolean(),
});
export type Followed = z.infer<typeof followedSchema>;

interface Opened {
  readonly step: StreamStep;
  readonly log: OpenedLog;
  readonly input: GenerationInput;
  readonly record: GenerationRecord;
}

interface Follower extends Omit<Opened, 'input'> {
  readonly control: StreamControl;
  readonly joined: Followed;
}

type LeaderEnd = Extract<GenerationEvent, { type: 'generation-end' }>;

/** Whom to follow: the one it followed before a crash, or one that it finds now. null: it calls the provider. */
export async function findLeader(dependencies: Dependencies, opened: Opened): Promise<Followed | null> {
  const { step, log, input, record } = opened;
  const last = log.events.findLast(({ type }) => type === 'cache-join' || type === 'cache-leave');
  if (last?.type === 'cache-leave' || record.attempts > 0) return null;
  if (last?.type === 'cache-join') return followedSchema.parse(log.head.checkpoint);
  // One that continues an earlier answer asks what nobody else does.
  if (record.text !== '' || !mayShare(dependencies, step, input)) return null;
  const { reads, writes } = cacheUseOf(step.order.cache);
  const { route, generationId } = step.order;
  const wishes = { mayLead: reads && writes, threshold: dependencies.cacheSettings(route).threshold };
  // Without Redis' answer there is no flight, and no reason to wait for one.
  const joined = await dependencies.flights
    .join(questionOf(step.order, input), generationId, wishes)
    .catch(() => ({ role: 'alone' }) as const);
  if (joined.role === 'alone') return null;
  const { leader, flight, shares, similarity } = joined;
  const followed = { leader, flight, shares, leaderSeq: -1 };
  if (!record.budgetNoted) for (const note of budgetNotes(step)) void log.writer.write(note);
  await log.writer.write({ type: 'cache-join', leader, similarity }, followed);
  return followed;
}

/** A budget that clips the answer, and calls of tools, which have effects, are nobody else's. */
function mayShare(
  { cacheSettings }: Dependencies,
  { order, maxOutputTokens }: StreamStep,
  input: GenerationInput,
) {
  return (
    cacheUseOf(order.cache).reads &&
    cacheSettings(order.route).singleFlight &&
    maxOutputTokens >= order.maxOutputTokens &&
    input.tools === undefined
  );
}

/** Copies the leader's text until its end. null: it was left, and the follower's log says why. */
export async function followLeader(
  dependencies: Dependencies,
  follower: Follower,
): Promise<GenerationOutcome | null> {
  const { joined, log, control } = follower;
  const news = createBell();
  const live = await dependencies.live.follow(joined.leader, () => news.ring());
  let followed = joined;
  try {
    for (;;) {
      if (control.signal.aborted) return await stopFollowing(dependencies, follower);
      const events =
        live.after(followed.leaderSeq) ??
        (await dependencies.log.read(joined.leader, followed.leaderSeq, LIMITS.entriesPerRead));
      for (const event of events) {
        followed = { ...followed, leaderSeq: event.seq };
        if (event.type === 'text-delta' || event.type === 'reasoning-delta') {
          await log.writer.write({ type: event.type, text: event.text }, followed);
        } else if (event.type === 'generation-end' && isWhole(event)) {
          return await endFollowed(follower, event);
        } else if (LEFT_BY.has(event.type)) {
          return await leave(dependencies, follower, event.type);
        }
      }
      if (events.length > 0) continue;
      const isNews = await news.rung(LIMITS.betweenTokensMs, control.signal);
      if (isNews || control.signal.aborted) continue;
      // A notice can be lost: only the log itself says that the leader is silent.
      const missed = await dependencies.log.read(joined.leader, followed.leaderSeq, 1);
      if (missed.length === 0) return await leave(dependencies, follower, 'silence');
    }
  } finally {
    await live.release();
  }
}

const LEFT_BY: ReadonlySet<EventBody['type']> = new Set([
  ...(['text-reset', 'tool-call-delta', 'generation-end', 'generation-error', 'generation-cancel'] as const),
]);

/** Both have the same output cap, so an answer that was cut by it is cut for both. */
function isWhole({ finishReason }: LeaderEnd): boolean {
  return finishReason !== 'tool-calls';
}

async function endFollowed(
  { log, joined, record }: Follower,
  { provider, model, finishReason, shared }: LeaderEnd,
): Promise<GenerationOutcome> {
  const own = owed(record, joined.shares && shared !== undefined ? shared : null);
  const end = { provider, model, finishReason, attempts: 0, cached: !joined.shares, ...own };
  void log.writer.write({
    ...{ type: 'generation-end', ...end },
    ...(shared === undefined || !joined.shares ? {} : { shared }),
  });
  await log.writer.flush();
  return { status: 'completed', ...end, lastSeq: log.writer.nextSeq - 1, errorCode: null };
}

/** What the follower has used itself (a judge), and its share. */
function owed({ usage, costMicroUsd }: GenerationRecord, share: Used | null): Used {
  return {
    usage: addUsage(usage, share?.usage ?? NO_USAGE),
    costMicroUsd: costMicroUsd + (share?.costMicroUsd ?? 0),
  };
}

async function leave(
  dependencies: Dependencies,
  { joined, log, step }: Follower,
  reason: EventBody['type'] | 'silence',
): Promise<null> {
  await dependencies.flights.leave(joined.flight, step.order.generationId);
  await dependencies.flights.dissolve(joined.flight, joined.leader);
  // What the leader has voided is void here too. What it could not finish stays, and is gone on from.
  if (reason === 'text-reset') {
    void log.writer.write({ type: 'text-reset', reason: 'The followed answer was begun again.' });
  }
  void log.writer.write({ type: 'cache-leave', reason });
  await log.writer.flush();
  return null;
}

/** Cancelled, or stopped for the next attempt to go on. A share that was fixed before is owed. */
async function stopFollowing(dependencies: Dependencies, follower: Follower): Promise<GenerationOutcome> {
  const { control, joined, log, step, record } = follower;
  if (control.stopped() !== 'cancel') {
    throw ApplicationFailure.create({
      message: 'This attempt ends without an answer; the next one goes on from the log.',
      type: 'attempt_interrupted',
      nextRetryDelay: 50,
    });
  }
  const isOwed = await dependencies.flights.leave(joined.flight, step.order.generationId);
  const last = isOwed ? (await dependencies.log.read(joined.leader, joined.leaderSeq)).at(-1) : undefined;
  const share = last?.type === 'generation-end' ? (last.shared ?? null) : null;
  const end = { attempts: 0, ...owed(record, share) };
  void log.writer.write({ type: 'generation-cancel', ...end });
  await log.writer.flush();
  return {
    ...{ status: 'cancelled', ...step.candidate, ...end, finishReason: null, cached: false },
    ...{ lastSeq: log.writer.nextSeq - 1, errorCode: 'cancelled' },
  };
}

/** The leader's side: its answer is whole, so who shares it is settled. */
export async function shareOf(
  dependencies: Dependencies,
  { step, input }: Pick<Opened, 'step' | 'input'>,
  reason: FinishReason,
  used: Used,
): Promise<{ readonly own: Used; readonly shared: (Used & { by: number }) | null }> {
  const alone = { own: used, shared: null };
  if (reason === 'tool-calls' || !mayShare(dependencies, step, input)) return alone;
  const { generationId } = step.order;
  const by = await dependencies.flights.close(questionOf(step.order, input), generationId).catch(() => 1);
  if (by < 2) return alone;
  const { leader, each } = splitCost(used, by);
  return { own: leader, shared: { by, ...each } };
}
