/** A generation as the API shows it: a projection of its log. */
import { textOf } from '../contracts/events.ts';
import type { GenerationView } from '../contracts/generation.ts';
import type { LogReader } from '../streaming/event-log.ts';

export async function readView(
  log: LogReader,
  generationId: string,
  { withText }: { withText: boolean },
): Promise<GenerationView | null> {
  const [head, events] = await Promise.all([log.head(generationId), log.read(generationId, -1)]);
  if (head === null) return null;
  const last = events.at(-1);
  const attempt = events.findLast((event) => 'provider' in event);
  const progress = events.findLast((event) => event.type === 'usage-update' || 'attempts' in event);
  const [first] = events;
  const continued = events.find((event) => event.type === 'generation-continue');
  return {
    id: head.generationId,
    status: head.status,
    route: head.route,
    user: head.user,
    provider: attempt !== undefined && 'provider' in attempt ? attempt.provider : null,
    model: attempt !== undefined && 'model' in attempt ? attempt.model : null,
    createdAt: head.createdAt,
    endedAt: head.endedAt,
    lastSeq: last?.seq ?? head.nextSeq - 1,
    finishReason: last?.type === 'generation-end' ? last.finishReason : null,
    usage: progress !== undefined && 'usage' in progress ? progress.usage : null,
    costMicroUsd: progress !== undefined && 'costMicroUsd' in progress ? progress.costMicroUsd : null,
    attempts: events.reduce((most, event) => (event.type === 'provider-start' ? event.attempt : most), 0),
    cached: last?.type === 'generation-end' && last.cached,
    degraded: last?.type === 'generation-end' && last.degraded === true,
    text: withText ? textOf(events) : null,
    error: last?.type === 'generation-error' ? last.error : null,
    prompt: first?.type === 'generation-start' ? (first.prompt ?? null) : null,
    continues: continued?.type === 'generation-continue' ? continued.generationId : null,
    metadata: { ...head.metadata },
  };
}
