/** What a generation has used, as its log tells it at any moment: also of a run that was ended before it could say. */
import type { EventBody } from './events.ts';
import { addUsage, NO_USAGE } from './money.ts';
import type { Used } from './share.ts';

/** @param events all of one log, from its first. */
export function usedSoFar(events: Iterable<EventBody>): Used {
  let ended: Used = { usage: NO_USAGE, costMicroUsd: 0 };
  let used = ended;
  for (const event of events) {
    switch (event.type) {
      case 'cache-judge':
      case 'cache-leave':
      case 'provider-error':
      case 'cap-raise':
        ended = {
          usage: addUsage(ended.usage, event.usage ?? NO_USAGE),
          costMicroUsd: ended.costMicroUsd + (event.costMicroUsd ?? 0),
        };
        // An error after which the response is taken up again leaves what was counted of it so far.
        if (event.type !== 'provider-error' || !event.resumable) used = ended;
        break;
      // These tell the whole, with the attempts that have ended.
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

/** The generation that is followed at the end of these events, and may be owed a share; null where none is. */
export function followedBy(events: readonly EventBody[]): string | null {
  const last = events.findLast(({ type }) => type === 'cache-join' || type === 'cache-leave');
  return last?.type === 'cache-join' ? last.leader : null;
}
