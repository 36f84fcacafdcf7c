/** Measures the relay of an API process: viewers, the delay of events, and reads of the log itself. */
import { withMethods } from '../../platform/with-methods.ts';
import type { HandoffOffers } from '../handoff/handoff.ts';
import type { EventLog } from '../streaming/event-log.ts';
import type { BatchListener, LiveLog, LiveLogs } from '../streaming/live-logs.ts';
import { type Metrics, SHORT_SECONDS } from './metrics.ts';

export function measureRelay(live: LiveLogs, metrics: Metrics): LiveLogs {
  const viewers = metrics.gauge('unbroken_relay_viewers', 'Viewers of generations in this process');
  metrics.gauge(
    'unbroken_relay_followed_logs',
    'Generations with viewers in this process',
    () => live.followed,
  );
  const delay = metrics.histogram(
    'unbroken_relay_delay_seconds',
    'From the append of an event (by the clock of Redis) to its delivery to a viewer',
    SHORT_SECONDS,
  );
  const reads = metrics.counter(
    'unbroken_relay_log_reads_total',
    'Reads of the log by a viewer that was new, behind, or found a gap',
  );

  const measured =
    (onBatch: BatchListener): BatchListener =>
    (batch) => {
      const first = batch?.[0];
      if (first !== undefined) delay.observe(Math.max(0, Date.now() - first.at) / 1_000);
      onBatch(batch);
    };
  const watch = (followed: LiveLog): LiveLog => {
    let isReleased = false;
    return {
      after: (cursor, cursorAtMs) => followed.after(cursor, cursorAtMs),
      readTogether(place, read) {
        reads.inc();
        return followed.readTogether(place, read);
      },
      async release() {
        if (!isReleased) viewers.dec();
        isReleased = true;
        await followed.release();
      },
    };
  };
  return {
    get followed() {
      return live.followed;
    },
    async follow(generationId, onBatch) {
      const followed = await live.follow(generationId, measured(onBatch));
      viewers.inc();
      return watch(followed);
    },
  };
}

export function measureCreations(log: EventLog, metrics: Metrics): EventLog {
  const started = metrics.counter(
    'unbroken_generations_started_total',
    'Generations whose log was created here',
  );
  return withMethods(log, {
    async create(creation) {
      const created = await log.create(creation);
      if (created.created) started.inc();
      return created;
    },
  });
}

/**
 * Counts new runs that a worker has started at once. The API process starts the others, which wait in Temporal's queue.
 */
export function measureHandoff(offers: HandoffOffers, metrics: Metrics): HandoffOffers {
  const offered = metrics.counter('unbroken_handoffs_total', 'New runs offered to the workers, by outcome.', [
    'outcome',
  ]);
  return {
    offer: async (run) => {
      const isStarted = await offers.offer(run);
      offered.inc({ outcome: isStarted ? 'started' : 'left' });
      return isStarted;
    },
  };
}
