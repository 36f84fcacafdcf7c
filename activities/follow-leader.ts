/**
 * A generation whose question another one is answering follows that leader's log and does not call the provider. The
 * position in the leader's log is stored with the text in the follower's own log, so a crashed follower resumes where
 * it was. If the leader fails, is cancelled or falls silent, the follower leaves it and continues alone from what it
 * has delivered.
 */
import { z } from 'zod';
import { cacheUseOf } from '../contracts/cache-mode.ts';
import { type Ending, endingOf } from '../contracts/ending.ts';
import type { EventBody, GenerationEvent } from '../contracts/events.ts';
import type { Candidate, GenerationInput } from '../contracts/generation.ts';
import { LIMITS } from '../contracts/limits.ts';
import { addUsed, NOTHING_USED, type Saved, savedBy, type Used } from '../contracts/share.ts';
import type { GenerationOutcome, StreamStep } from '../contracts/steps.ts';
import type { OpenedLog } from '../engine/streaming/event-log.ts';
import { AutoResetEvent } from './attempt/auto-reset-event.ts';
import type { StreamControl } from './attempt/running-streams.ts';
import type { Dependencies } from './dependencies.ts';
import { addShare, dischargeMember, endFollowing, type Share } from './end-following.ts';
import { interrupted, timeIsUp } from './failures.ts';
import type { GenerationRecord } from './generation-record.ts';
import { questionOf } from './look-up-cache.ts';
import { budgetNotes } from './reserve-budget.ts';
import { isShareable, mayShare } from './share-answer.ts';

/** Stored with the text of a follower: its leader, and how far it has copied. */
const followedSchema = z.object({
  leader: z.string(),
  leaderSeq: z.number(),
  /** `at` of the event with that seq. After Redis has lost the log's tail, another event may have the seq. */
  leaderAtMs: z.number().optional(),
  flight: z.object({ partition: z.string(), key: z.string() }),
});
export type Followed = z.infer<typeof followedSchema>;

/** An attempt may wait until the flight gives the leader up. */
const PATIENCE_MS = LIMITS.flightClosedMs + 30_000;

/** What a follower copies. Not the seals of the leader's reasoning: they are for its own user. */
const COPIED: ReadonlySet<EventBody['type']> = new Set([
  'text-delta',
  'reasoning-delta',
  'text-start',
  'annotation',
  'native-part',
]);

/** What a follower does not share: it leaves its leader. */
const LEFT_BY: ReadonlySet<EventBody['type']> = new Set([
  'tool-call-delta',
  'generation-end',
  'generation-error',
  'generation-cancel',
]);

type FollowDependencies = Pick<Dependencies, 'flights' | 'live' | 'log' | 'providers'>;

interface Opened {
  readonly step: StreamStep;
  readonly log: OpenedLog;
  readonly input: GenerationInput;
  readonly record: GenerationRecord;
}

interface Follower extends Opened {
  readonly control: StreamControl;
  readonly joined: Followed;
}

type LeaderEnd = Extract<GenerationEvent, { type: 'generation-end' }>;

type FindDependencies = Pick<Dependencies, 'cacheSettings' | 'flights'>;

/** The leader that it followed before a crash, or one that it finds now. null: it calls the provider. */
export async function findLeader(dependencies: FindDependencies, opened: Opened): Promise<Followed | null> {
  const followed = await findFollowed(dependencies, opened);
  // Its own log has the note by now, even if an earlier attempt wrote it and died.
  if (followed !== null) {
    await dependencies.flights.enter(followed.leader, opened.step.order.generationId);
  }
  return followed;
}

async function findFollowed(dependencies: FindDependencies, opened: Opened): Promise<Followed | null> {
  const { step, log, input, record } = opened;
  const last = log.events.findLast(({ type }) => type === 'cache-join' || type === 'cache-leave');
  if (last?.type === 'cache-leave' || record.attempts > 0) return null;
  if (last?.type === 'cache-join') return followedSchema.parse(log.head.checkpoint);
  // A continuation of an earlier answer shares its question with no other generation.
  if (record.text !== '' || !mayShare(dependencies, step, input)) return null;
  const { reads, writes } = cacheUseOf(step.order.cache);
  const { route, generationId } = step.order;
  const { acceptedFalseHits } = dependencies.cacheSettings(route);
  const wishes = { askedAtMs: log.head.createdAt, mayLead: reads && writes, acceptedFalseHits };
  // If Redis does not answer, there is no flight, and no reason to wait for one.
  const joined = await dependencies.flights
    .join(questionOf(dependencies.cacheSettings, step.order, input), generationId, wishes)
    .catch(() => ({ role: 'alone' }) as const);
  if (joined.role === 'alone') return null;
  const { leader, flight, similarity, matchedBy, probability, entryId, questionId } = joined;
  const followed = { leader, flight, leaderSeq: -1 };
  if (!record.budgetNoted) for (const note of budgetNotes(step)) void log.writer.write(note);
  const match = { similarity, matchedBy, ...(probability === undefined ? {} : { probability }) };
  void log.writer.write({ type: 'cache-join', leader, ...match, entryId, questionId }, followed);
  // A member that no log knows would never pay, so the note must be in the log before the leader counts this follower.
  await log.writer.flush();
  return followed;
}

/** Copies the leader's text until its end. null: it has left the leader, and its own log says why. */
export async function followLeader(
  dependencies: FollowDependencies,
  follower: Follower,
): Promise<GenerationOutcome | null> {
  const { joined, log, control } = follower;
  const news = new AutoResetEvent();
  const live = await dependencies.live.follow(joined.leader, () => news.set());
  let followed = joined;
  // After a silence the log is read: a notice can be lost, and then only the log has what the leader appended.
  let asksLog = false;
  // A follower that continues after a crash has the leader's last call behind it.
  const called =
    joined.leaderSeq < 0 ? null : ((await dependencies.log.facts(joined.leader))?.lastCalled ?? null);
  let patienceMs = patienceWith(dependencies, follower, called);
  try {
    for (;;) {
      if (control.signal.aborted) return await stopFollowing(dependencies, follower);
      const events =
        (asksLog ? null : live.after(followed.leaderSeq, followed.leaderAtMs)) ??
        (await readLeader(dependencies, followed));
      if (events === null) return await leave(dependencies, follower, 'lost');
      for (const event of events) {
        followed = { ...followed, leaderSeq: event.seq, leaderAtMs: event.at };
        if (event.type === 'provider-start') patienceMs = patienceWith(dependencies, follower, event);
        if (COPIED.has(event.type)) {
          await log.writer.write(withoutNumber(event), followed);
        } else if (event.type === 'text-reset') {
          const reason = 'The followed answer was restarted.';
          await log.writer.write({ type: 'text-reset', reason }, followed);
        } else if (event.type === 'generation-end' && isShareable(event.finishReason)) {
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
      asksLog = !(await news.wait(patienceMs, control.signal));
    }
  } finally {
    await live.release();
  }
}

/** As long as the leader waits for the provider that it has called, and for it to say that it waits no longer. */
export function patienceWith(
  { providers }: Pick<FollowDependencies, 'providers'>,
  { input }: Pick<Follower, 'input'>,
  called: Candidate | null,
): number {
  const limitMs =
    called === null ? 0 : (providers.get(called.provider)?.silenceMs({ ...called, input }) ?? 0);
  return Math.max(LIMITS.leaderSilenceMs, limitMs + LIMITS.leaderReportMs);
}

function withoutNumber(event: GenerationEvent): EventBody {
  const { seq: _seq, at: _at, from: _from, ...body } = event;
  return body;
}

/** null if the leader's log has lost the event up to which it was copied, so that the copy and the log may differ. */
async function readLeader(
  { log }: FollowDependencies,
  { leader, leaderSeq, leaderAtMs }: Followed,
): Promise<readonly GenerationEvent[] | null> {
  if (leaderAtMs === undefined) return log.read(leader, leaderSeq, LIMITS.entriesPerRead);
  const [last, ...events] = await log.read(leader, leaderSeq - 1, LIMITS.entriesPerRead);
  if (last?.seq !== leaderSeq || last.at !== leaderAtMs) return null;
  // The limit on events may end the read before the next entry.
  return events.length > 0 ? events : log.read(leader, leaderSeq, 1);
}

/** False if the leader has counted this follower: it has an answer, and only its end is still to come. */
async function isFree({ flights }: FollowDependencies, { joined, step }: Follower): Promise<boolean> {
  return (await flights.leave(joined.leader, step.order.generationId)).state !== 'pending';
}

function shareOwed(
  { flights }: FollowDependencies,
  { joined: { leader }, step }: Pick<Follower, 'joined' | 'step'>,
): Promise<Share | null> {
  const { generationId } = step.order;
  return endFollowing({ flights }, { leader, generationId, withinMs: PATIENCE_MS });
}

type FollowedEnd = Candidate & Pick<LeaderEnd, 'finishReason' | 'shared'> & Ending & Used;

/** Without a share, the answer was free. With one, all shares together are the call, but for the remainder. */
function savedByFollowing({ shared, usage, costMicroUsd }: FollowedEnd, owed: Share | null): Saved {
  if (owed !== null) return savedBy(times(owed.share, owed.by), owed.share);
  const others = shared === undefined ? NOTHING_USED : times(shared, shared.by - 1);
  return savedBy(addUsed({ usage, costMicroUsd }, others), NOTHING_USED);
}

function times(used: Used, count: number): Used {
  return Array.from({ length: count }).reduce<Used>((sum) => addUsed(sum, used), NOTHING_USED);
}

/** The followed answer is whole: at its end or, for a follower, where the leader's cap was raised. */
async function endFollowed(
  dependencies: FollowDependencies,
  follower: Follower,
  leaderEnd: FollowedEnd,
): Promise<GenerationOutcome> {
  const { provider, model, finishReason } = leaderEnd;
  const { log, record } = follower;
  const owed = await shareOwed(dependencies, follower);
  const own = addShare(record, owed);
  const saved = savedByFollowing(leaderEnd, owed);
  const end = { provider, model, finishReason, attempts: 0, cached: owed === null, saved, ...own };
  void log.writer.write({
    type: 'generation-end',
    ...end,
    ...endingOf(leaderEnd),
    ...(owed === null ? {} : { shared: { by: owed.by, ...owed.share } }),
  });
  await flushEnd(dependencies, follower);
  return { status: 'completed', ...end, lastSeq: log.writer.nextSeq - 1, errorCode: null };
}

async function flushEnd(dependencies: FollowDependencies, { log, joined, step }: Follower): Promise<void> {
  await log.writer.flush();
  dischargeMember(dependencies, { follows: joined.leader }, step.order.generationId);
}

async function leave(
  dependencies: FollowDependencies,
  follower: Follower,
  reason: EventBody['type'] | 'silence' | 'lost',
): Promise<null> {
  const { joined, log } = follower;
  const owed = await shareOwed(dependencies, follower);
  await dependencies.flights.dissolve(joined.flight, joined.leader);
  void log.writer.write({ type: 'cache-leave', reason, ...(owed === null ? {} : { share: owed.share }) });
  await flushEnd(dependencies, follower);
  return null;
}

/** Cancelled, out of time, or stopped so that the next attempt resumes. Only a cancellation ends the log here. */
async function stopFollowing(
  dependencies: FollowDependencies,
  follower: Follower,
): Promise<GenerationOutcome> {
  const { control, log, step, record } = follower;
  const why = control.stopped();
  // The workflow closes the log, and the following ends there.
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
