/** The React hook of the package, imported from `@unbroken/client/react`. */
import { useMemo, useSyncExternalStore } from 'react';
import { type GenerationClient, GenerationStore, type ShownGeneration } from './generation-store.ts';

export type { GenerationClient, GenerationStatus, ShownGeneration } from './generation-store.ts';

export interface UsedGeneration extends ShownGeneration {
  /**
   * Cancels the generation, for all its readers; the status changes when the event arrives. Unmounting cancels
   * nothing. Rejects with ClientError or ConnectionLostError.
   */
  readonly cancel: () => Promise<void>;
}

/**
 * Follows a generation while the component is mounted, through any disconnect. A mount that follows an unmount, as in
 * StrictMode, continues at the last event.
 * @param client of `createClient`. Another client takes effect with the next id, so creating it in the component is
 * harmless.
 * @param generationId undefined or null until there is one.
 */
export function useGeneration(
  client: GenerationClient,
  generationId: string | null | undefined,
): UsedGeneration {
  // React may drop what it has memoised. The next store then reads the log from its first event.
  const store = useMemo(() => new GenerationStore(client, generationId ?? undefined), [generationId]);
  const shown = useSyncExternalStore(store.subscribe, store.current, store.current);
  return useMemo(() => ({ ...shown, cancel: store.cancel }), [shown, store]);
}
