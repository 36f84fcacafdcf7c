/** Measures the worker's appends, and logs the end of every generation as one line in the process' own log. */
import type { GenerationEvent } from '../../contracts/events.ts';
import { withMethods } from '../../platform/with-methods.ts';
import type { EventLog, LogListener, LogWriter } from '../streaming/event-log.ts';
import { type Metrics, SHORT_SECONDS } from './metrics.ts';

const FIRST_TEXT_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64];

/** What this file needs of a logger. */
interface EndLogger {
  info(facts: object, text: string): void;
}

/** Observes every append. It neither keeps nor logs text. */
export function listenToLog(metrics: Metrics | null, logger: EndLogger): LogListener {
  const ended = metrics?.counter('unbroken_generations_ended_total', 'completed, failed or cancelled', [
    'status',
  ]);
  const events = metrics?.counter('unbroken_log_events_total', 'Events appended to logs');
  const refusals = metrics?.counter(
    'unbroken_log_refusals_total',
    'Appends that the log refused, by reason',
    ['reason'],
  );
  const retries = metrics?.counter(
    'unbroken_log_append_repeats_total',
    'Appends sent again after no answer came',
  );
  const duration = metrics?.histogram(
    'unbroken_log_append_duration_seconds',
    'Time of one append, with all its repeats',
    SHORT_SECONDS,
  );
  return {
    appended({ generationId, count, tookMs, status, last }) {
      events?.inc(count);
      duration?.observe(tookMs / 1_000);
      if (status === null) return;
      ended?.inc({ status });
      logger.info({ generationId, status, ...factsOf(last) }, 'generation ended');
    },
    retried: () => retries?.inc(),
    refused: (reason) => refusals?.inc({ reason }),
  };
}

type Ended = Parameters<LogListener['appended']>[0]['last'];

function factsOf(last: Ended): object {
  if (last === undefined) return {};
  if (last.type === 'generation-error') return { code: last.error.code };
  if (last.type !== 'generation-end' && last.type !== 'generation-cancel') return {};
  const { attempts, usage, costMicroUsd } = last;
  const model = last.type === 'generation-end' ? { provider: last.provider, model: last.model } : {};
  return { ...model, attempts, usage, costMicroUsd };
}

/** Measures from the creation of a log to its first text: a caller's wait, without the network. */
export function measureFirstText(log: EventLog, metrics: Metrics): EventLog {
  const firstText = metrics.histogram(
    'unbroken_time_to_first_text_seconds',
    'From the acceptance of a generation to the first text in its log',
    FIRST_TEXT_SECONDS,
  );
  return withMethods(log, {
    async open(generationId, epoch, onCancelRequest) {
      const opened = await log.open(generationId, epoch, onCancelRequest);
      if (opened.events.some(isText)) return opened;
      const { createdAt } = opened.head;
      const onFirst = () => firstText.observe(Math.max(0, Date.now() - createdAt) / 1_000);
      return { ...opened, writer: withFirstText(opened.writer, onFirst) };
    },
  });
}

function withFirstText(writer: LogWriter, onFirst: () => void): LogWriter {
  let isWaiting = true;
  return {
    opener: writer.opener,
    get nextSeq() {
      return writer.nextSeq;
    },
    write(event, checkpoint) {
      if (isWaiting && event.type === 'text-delta') {
        isWaiting = false;
        onFirst();
      }
      return writer.write(event, checkpoint);
    },
    flush: () => writer.flush(),
  };
}

function isText({ type }: GenerationEvent): boolean {
  return type === 'text-delta';
}
