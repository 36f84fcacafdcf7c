import type { ViewerSink } from '../../api/relay/viewer.ts';
import type { GenerationEvent } from '../../contracts/events.ts';

/** The connection of a viewer that always keeps up, and what it has received. */
export function patientSink(): ViewerSink & { readonly events: readonly GenerationEvent[] } {
  const events: GenerationEvent[] = [];
  return {
    events,
    ready: () => true,
    whenReady: async () => true,
    send: (batch) => {
      events.push(...batch);
    },
    heartbeat: () => undefined,
    closeStalled: () => false,
    coalesces: true,
  };
}
