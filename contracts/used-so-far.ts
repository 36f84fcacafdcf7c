/** What a generation has used at any point of its log, including a run that was terminated before it could report. */
import type { EventBody } from './events.ts';
import { NO_USAGE } from './money.ts';
import { addUsed, type Used } from './share.ts';

const NOTHING: Used = { usage: NO_USAGE, costMicroUsd: 0 };

/** @param events all of one log, from its first. */
export function usedSoFar(events: Iterable<EventBody>): Used {
  let ended = NOTHING;
  let used = ended;
  let judging = NOTHING;
  for (const event of events) {
    switch (event.type) {
      case 'cache-ask':
        judging = event;
        used = addUsed(ended, judging);
        break;
      case 'cache-leave':
        ended = addUsed(ended, event.share ?? NOTHING);
        used = addUsed(ended, judging);
        break;
      case 'cache-judge':
      case 'provider-error':
      case 'cap-raise':
        ended = addUsed(ended, event);
        if (event.type === 'cache-judge') judging = NOTHING;
        // After a resumable error the response runs on: its progress so far stays counted.
        if (event.type !== 'provider-error' || !event.resumable) used = addUsed(ended, judging);
        break;
      // These events carry the total, including the attempts that have ended.
      case 'usage-update':
      case 'generation-end':
      case 'generation-error':
      case 'generation-cancel':
        used = { usage: event.usage, costMicroUsd: event.costMicroUsd };
        break;
      default:
        break;
    }
  }
  return used;
}

/** The leader that is followed at the end of these events, and that may be owed a share; null if there is none. */
export function followedBy(events: readonly EventBody[]): string | null {
  const last = events.findLast(({ type }) => type === 'cache-join' || type === 'cache-leave');
  return last?.type === 'cache-join' ? last.leader : null;
}
