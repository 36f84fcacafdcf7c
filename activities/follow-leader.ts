/**
 * A generation that asks what another one is answering at this moment follows that one's log instead of calling the
 * provider. Where the leader stands is kept with the text in the follower's own log, so a follower that crashes resumes
 * where it was. A follower leaves a leader that fails, is cancelled or falls silent, and continues by itself from what
 * it has delivered.
 */
import { z } from 'zod';
import { cacheUseOf } from '../contracts/cache-mode.ts';
import type { EventBody, GenerationEvent } from '../contracts/events.ts';
import type { Candidate, FinishReason, GenerationInput } from '../contracts/generation.ts';
import { LIMITS } from '../contracts/limits.ts';
import { splitCost, type Used } from '../contracts/share.ts';
import type { GenerationOutcome, StreamStep } from '../contracts/steps.ts';
import type { LogWriter, OpenedLog } from '../engine/streaming/event-log.ts';
import { createBell } from './attempt/auto-reset-event.ts';
import type { StreamControl } from './attempt/running-streams.ts';
import type { Dependencies } from './dependencies.ts';
import { addShare, dischargeMember, endFollowing, pause, type Share } from './end-following.ts';
import { interrupted, timeIsUp } from './failures.ts';
import type { GenerationRecord } from './generation-record.ts';
import { questionOf } from './look-up-cache.ts';
import { budgetNotes } from './note-budget.ts';

/** Kept beside the text of a follower: whom it follows, and how far it has copied. */
const followedSchema = z.object({
  leader: z.string(),
  leaderSeq: z.number(),
  flight: z.object({ partition: z.string(), key: z.string() }),
});
export type Followed = z.infer<typeof followedSchema>;

/** An attempt may wait until the flight itself gives the leader up. */
const PATIENCE_MS = LIMITS.flightClosedMs + 30_000;
const CLOSE_AGAIN_MS = 200;

type Following = Pick<Dependencies, 'flights' | 'live' | 'log'>;

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

type Finding = Pick<Dependencies, 'cacheSettings' | 'flights'>;

/** Whom to follow: the one it followed before a crash, or one that it finds now. null: it calls the provider. */
export async function findLeader(dependencies: Finding, opened: Opened): Promise<Followed | null> {
  const followed = await findFollowed(dependencies, opened);
  // Its own log has the note by now, also where an attempt before this one wrote it and died.
  if (followed !== null) {
    await dependencies.flights.enter(followed.leader, opened.step.order.generationId);
  }
  return followed;
}

async function findFollowed(dependencies: Finding, opened: Opened): Promise<Followed | null> {
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
    .join(questionOf(dependencies.cacheSettings, step.order, input), generationId, wishes)
    .catch(() => ({ role: 'alone' }) as const);
  if (joined.role === 'alone') return null;
  const { leader, flight, similarity } = joined;
  const followed = { leader, flight, leaderSeq: -1 };
  if (!record.budgetNoted) for (const note of budgetNotes(step)) void log.writer.write(note);
  void log.writer.write({ type: 'cache-join', leader, similarity }, followed);
  // A member that no log knows would never pay, so the note must be in the log before anyone counts this follower.
  await log.writer.flush();
  return followed;
}

/** A budget that clips the answer, and calls of tools, which have effects, are nobody else's. */
function mayShare(
  { cacheSettings }: Pick<Dependencies, 'cacheSettings'>,
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
  dependencies: Following,
  follower: Follower,
): Promise<GenerationOutcome | null> {
  const { joined, log, control } = follower;
  const news = createBell();
  const live = await dependencies.live.follow(joined.leader, () => news.ring());
  let followed = joined;
  // After a silence: a notice can be lost, and what the leader has appended since is in its log alone.
  let asksLog = false;
  try {
    for (;;) {
      if (control.signal.aborted) return await stopFollowing(dependencies, follower);
      const events =
        (asksLog ? null : live.after(followed.leaderSeq)) ??
        (await dependencies.log.read(joined.leader, followed.leaderSeq, LIMITS.entriesPerRead));
      for (const event of events) {
        followed = { ...followed, leaderSeq: event.seq };
        if (event.type === 'text-delta' || event.type === 'reasoning-delta') {
          await log.writer.write({ type: event.type, text: event.text }, followed);
        } else if (event.type === 'text-reset') {
          const reason = 'The followed answer was begun again.';
          await log.writer.write({ type: 'text-reset', reason }, followed);
        } else if (event.type === 'generation-end' && isWhole(event)) {
          return await endFollowed(dependencies, follower, event);
        } else if (event.type === 'cap-raise') {
          return await endFollowed(dependencies, follower, { ...event, finishReason: 'length' });
        } else if (LEFT_BY.has(event.type)) {
          return await leave(dependencies, follower, event.type);
        }
      }
      if (events.length > 0) {
        asksLog = false;
        continue;
      }
      if (asksLog && (await isFree(dependencies, follower))) {
        return await leave(dependencies, follower, 'silence');
      }
      asksLog = !(await news.rung(LIMITS.leaderSilenceMs, control.signal));
    }
  } finally {
    await live.release();
  }
}

const LEFT_BY: ReadonlySet<EventBody['type']> = new Set([
  'tool-call-delta',
  'generation-end',
  'generation-error',
  'generation-cancel',
]);

/** Both have the same output cap, so an answer that was cut by it is cut for both. */
function isWhole({ finishReason }: LeaderEnd): boolean {
  return finishReason !== 'tool-calls';
}

/** False for one that is counted already: its leader has an answer, so what it is waited for is only the end of it. */
async function isFree({ flights }: Following, { joined, step }: Follower): Promise<boolean> {
  return (await flights.leave(joined.leader, step.order.generationId)).state !== 'pending';
}

function shareOwed(
  { flights }: Following,
  { joined: { leader }, step }: Pick<Follower, 'joined' | 'step'>,
): Promise<Share | null> {
  const { generationId } = step.order;
  return endFollowing({ flights }, { leader, generationId, withinMs: PATIENCE_MS });
}

/** The answer that it follows is whole: at its end, or (for the follower) where the leader's cap was raised. */
async function endFollowed(
  dependencies: Following,
  follower: Follower,
  { provider, model, finishReason }: Candidate & Pick<LeaderEnd, 'finishReason'>,
): Promise<GenerationOutcome> {
  const { log, record } = follower;
  const owed = await shareOwed(dependencies, follower);
  const own = addShare(record, owed);
  const end = { provider, model, finishReason, attempts: 0, cached: owed === null, ...own };
  void log.writer.write({
    type: 'generation-end',
    ...end,
    ...(owed === null ? {} : { shared: { by: owed.by, ...owed.share } }),
  });
  await flushEnd(dependencies, follower);
  return { status: 'completed', ...end, lastSeq: log.writer.nextSeq - 1, errorCode: null };
}

async function flushEnd(dependencies: Following, { log, joined, step }: Follower): Promise<void> {
  await log.writer.flush();
  dischargeMember(dependencies, { follows: joined.leader }, step.order.generationId);
}

async function leave(
  dependencies: Following,
  follower: Follower,
  reason: EventBody['type'] | 'silence',
): Promise<null> {
  const { joined, log } = follower;
  const owed = await shareOwed(dependencies, follower);
  await dependencies.flights.dissolve(joined.flight, joined.leader);
  void log.writer.write({ type: 'cache-leave', reason, ...(owed === null ? {} : { share: owed.share }) });
  await flushEnd(dependencies, follower);
  return null;
}

/** Cancelled, out of time, or stopped for the next attempt to resume. Only the first of them ends the log here. */
async function stopFollowing(dependencies: Following, follower: Follower): Promise<GenerationOutcome> {
  const { control, log, step, record } = follower;
  const why = control.stopped();
  // The workflow closes the log, and settles the following there.
  if (why === 'deadline') throw timeIsUp();
  if (why !== 'cancel') throw interrupted(null);
  const owed = await shareOwed(dependencies, follower);
  const end = { attempts: 0, ...addShare(record, owed) };
  void log.writer.write({ type: 'generation-cancel', ...end });
  await flushEnd(dependencies, follower);
  return {
    status: 'cancelled',
    ...step.candidate,
    ...end,
    finishReason: null,
    cached: false,
    lastSeq: log.writer.nextSeq - 1,
    errorCode: 'cancelled',
  };
}

/**
 * The leader's side: its answer is whole, so who shares it is settled.
 * @param used by the call that made it. What earlier calls used was booked as they ended, and is the leader's alone.
 */
export async function shareOf(
  dependencies: Dependencies,
  { step, input, record, writer }: Omit<Opened, 'log'> & { readonly writer: LogWriter },
  reason: FinishReason,
  used: Used,
): Promise<{ readonly own: Used; readonly shared: (Used & { by: number }) | null }> {
  const alone = { own: used, shared: null };
  if (reason === 'tool-calls' || !mayShare(dependencies, step, input)) return alone;
  // Followers have ended at the old cap, and have not reserved for more.
  if (record.capTokens > 0) return alone;
  const { generationId } = step.order;
  const answer = { generationId, opener: writer.opener, used };
  const question = questionOf(dependencies.cacheSettings, step.order, input);
  const by = await closeSurely(() => dependencies.flights.close(question, answer));
  if (by < 2) return alone;
  const { leader, each } = splitCost(used, by);
  return { own: leader, shared: { by, ...each } };
}

/**
 * A close whose answer is lost may have counted members, who then pay their share: it is repeated for as long as the
 * append of the end would be, which needs the same Redis.
 */
async function closeSurely(close: () => Promise<number>): Promise<number> {
  const begunAtMs = performance.now();
  for (;;) {
    try {
      return await close();
    } catch (error) {
      if (performance.now() - begunAtMs > LIMITS.appendAgainMs) throw error;
      await pause(CLOSE_AGAIN_MS);
    }
  }
}
