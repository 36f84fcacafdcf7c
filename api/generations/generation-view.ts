/** A generation as the API shows it: a projection of its log. */
import type { EventBody, GenerationEvent } from '../../contracts/events.ts';
import { textOf } from '../../contracts/fold-events.ts';
import type { GenerationView } from '../../contracts/generation.ts';
import type { LogHead, LogReader } from '../../engine/streaming/event-log.ts';
import { type LogView, logViewFields, parseLogView } from '../../engine/streaming/log-view.ts';

/** A view without text is read from a few fields beside the log, however long the log is. */
export async function readView(
  log: LogReader,
  generationId: string,
  { withText }: { withText: boolean },
): Promise<GenerationView | null> {
  if (withText) return readWhole(log, generationId, textOf);
  const found = await log.view(generationId);
  if (found === null) return null;
  const { head, view } = found;
  const isWhole = view !== null && (head.status === 'running' || view.end !== null || head.erased);
  return isWhole ? toView(head, view, null) : readWhole(log, generationId, () => null);
}

async function readWhole(
  log: LogReader,
  generationId: string,
  textIn: (events: readonly GenerationEvent[]) => string | null,
): Promise<GenerationView | null> {
  const [head, events] = await Promise.all([log.head(generationId), log.readMerged(generationId)]);
  if (head === null) return null;
  const nextSeq = Math.max(head.nextSeq, (events.at(-1)?.seq ?? -1) + 1);
  return toView({ ...head, nextSeq }, viewOfEvents(events), textIn(events));
}

function viewOfEvents(events: readonly EventBody[]): LogView {
  return parseLogView({ 'view:prompt': 'null', ...logViewFields(events) }) ?? NOTHING;
}

const NOTHING: LogView = {
  prompt: null,
  provider: null,
  model: null,
  usage: null,
  costMicroUsd: null,
  attempts: 0,
  continues: null,
  end: null,
};

function toView(head: LogHead, view: LogView, text: string | null): GenerationView {
  const { end } = view;
  const whole = end?.type === 'generation-end' ? end : null;
  return {
    id: head.generationId,
    status: head.status,
    route: head.route,
    user: head.user,
    provider: view.provider,
    model: view.model,
    createdAt: head.createdAt,
    endedAt: head.endedAt,
    lastSeq: head.nextSeq - 1,
    finishReason: whole?.finishReason ?? null,
    stopSequence: whole?.stopSequence ?? null,
    refusal: whole?.refusal ?? null,
    usage: view.usage,
    costMicroUsd: view.costMicroUsd,
    attempts: view.attempts,
    cached: whole?.cached === true,
    degraded: whole?.degraded === true,
    text,
    error: end?.type === 'generation-error' ? end.error : null,
    prompt: view.prompt,
    continues: view.continues,
    metadata: { ...head.metadata },
  };
}
