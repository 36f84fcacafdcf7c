/** What a generation has used, as its log tells it at any moment: also of a run that was ended before it could say. */
import type { EventBody } from './events.ts';
import { addUsage, NO_USAGE } from './money.ts';
import type { Used } from './share.ts';

const NOTHING: Used = { usage: NO_USAGE, costMicroUsd: 0 };

function add(a: Used, b: Used): Used {
  return { usage: addUsage(a.usage, b.usage), costMicroUsd: a.costMicroUsd + b.costMicroUsd };
}

/** @param events all of one log, from its first. */
export function usedSoFar(events: Iterable<EventBody>): Used {
  let ended = NOTHING;
  let used = ended;
  let asked = NOTHING;
  for (const event of events) {
    switch (event.type) {
      case 'cache-ask':
        asked = event;
        used = add(ended, asked);
        break;
      case 'cache-leave':
        ended = add(ended, event.share ?? NOTHING);
        used = add(ended, asked);
        break;
      case 'cache-judge':
      case 'provider-error':
      case 'cap-raise':
        ended = add(ended, event);
        if (event.type === 'cache-judge') asked = NOTHING;
        // An error after which the response is resumed leaves what was counted of it so far.
        if (event.type !== 'provider-error' || !event.resumable) used = add(ended, asked);
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
