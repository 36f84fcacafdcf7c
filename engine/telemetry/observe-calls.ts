/** Lets metrics and traces watch every provider call. Without a watcher, the providers stay unwrapped. */
import type { Provider, ProviderCall, ProviderEvent } from '../providers/provider.ts';

/** Watches one call from its start to its end. */
interface CallWatch {
  event(event: ProviderEvent): void;
  /** The call is over. @param error null if the answer was complete. */
  end(error: unknown): void;
}

export type CallWatcher = (provider: string, call: ProviderCall) => CallWatch;

export function observeCalls(
  providers: ReadonlyMap<string, Provider>,
  watchers: readonly CallWatcher[],
): ReadonlyMap<string, Provider> {
  if (watchers.length === 0) return providers;
  return new Map([...providers].map(([name, provider]) => [name, observed(provider, watchers)]));
}

function observed(provider: Provider, watchers: readonly CallWatcher[]): Provider {
  return {
    name: provider.name,
    capabilities: (model, input) => provider.capabilities(model, input),
    silenceMs: (call) => provider.silenceMs(call),
    stream: (call) => watched(provider, call, watchers),
    ...(provider.stop === undefined
      ? {}
      : { stop: async (responseId, apiKey) => (await provider.stop?.(responseId, apiKey)) ?? null }),
  };
}

async function* watched(
  provider: Provider,
  call: ProviderCall,
  watchers: readonly CallWatcher[],
): AsyncGenerator<ProviderEvent> {
  const watches = watchers.map((watch) => watch(provider.name, call));
  let isWhole = false;
  let failure: unknown = null;
  try {
    for await (const event of provider.stream(call)) {
      for (const watch of watches) watch.event(event);
      isWhole ||= event.type === 'finish';
      yield event;
    }
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    // A reader leaves after the last event, so this runs even though the stream is not exhausted.
    const ended = isWhole ? null : (failure ?? new Error('The answer was not read to its end.'));
    for (const watch of watches) watch.end(ended);
  }
}

/** Whether the event can be the first token: text, reasoning or a tool call. */
export function isContent({ type }: ProviderEvent): boolean {
  return type === 'text' || type === 'reasoning' || type === 'tool-call';
}
