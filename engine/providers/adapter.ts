/** What all adapters share: the link, the limits on silence, the abort, and the mapping of errors. */
import type { UnbrokenError } from '../../contracts/errors.ts';
import { toPresentableError } from '../vendor-errors/presentable-error.ts';
import { type AnswerHead, createLink, type Link } from './http-link.ts';
import type { Provider, ProviderCall, ProviderEvent } from './provider.ts';
import type { ProviderSettings } from './provider-settings.ts';
import { readInTime } from './read-in-time.ts';
import { withWholeCharacters } from './whole-characters.ts';

/** How long an answer may take to end after its last event. */
const END_MS = 1_000;

/** The parts of an adapter that differ by vendor. */
interface Wire {
  /** Whether it reads its streams by `bodyOf` of the link. */
  readonly takesStreams?: boolean;
  /** Sends the request and maps its stream. */
  stream(call: ProviderCall, link: Link): AsyncIterable<ProviderEvent>;
  /** @param head of the answer that the error came in or after; null if none was received. */
  mapError(error: unknown, head: AnswerHead | null): UnbrokenError;
}

export function createAdapter(settings: ProviderSettings, wire: Wire): Provider {
  return {
    name: settings.name,
    capabilities(model) {
      const { reattach, prefill, instruct } = settings.factsOf(model).capabilities;
      return { reattach, prefill, instruct };
    },
    silenceMs(call) {
      const { firstTokenMs, mayThink } = limitsFor(call, settings);
      return Math.max(firstTokenMs, settings.betweenTokensMs, mayThink ? settings.thinkingMs : 0);
    },
    stream(call) {
      const request = new AbortController();
      const signal = AbortSignal.any([call.signal, request.signal]);
      const { apiKey, connectMs, proxy } = settings;
      const takesStreams = wire.takesStreams ?? false;
      const link = createLink(call, { apiKey, connectMs, proxy, takesStreams }, signal);
      return readInTime(withMappedErrors(call, link, wire, settings), {
        ...settings,
        ...limitsFor(call, settings),
        lastByteAtMs: link.lastByteAtMs,
        stop: (isWhole) => {
          if (isWhole) link.endWithin(END_MS, () => request.abort());
          else request.abort();
        },
      });
    },
  };
}

function limitsFor({ model, input }: Pick<ProviderCall, 'model' | 'input'>, settings: ProviderSettings) {
  const canReason = settings.factsOf(model).capabilities.reasoning === true;
  const effort = input.reasoning?.effort;
  const isAskedToThink = effort !== undefined && effort !== 'none';
  const { firstTokenMs, thinkingMs } = settings;
  return {
    // Some vendors answer only once the thoughts are complete.
    firstTokenMs: isAskedToThink ? Math.max(firstTokenMs, thinkingMs) : firstTokenMs,
    mayThink: isAskedToThink || (canReason && effort !== 'none'),
  };
}

async function* withMappedErrors(
  call: ProviderCall,
  link: Link,
  wire: Wire,
  { secrets }: ProviderSettings,
): AsyncGenerator<ProviderEvent> {
  try {
    yield* withWholeCharacters(wire.stream(call, link));
  } catch (error) {
    if (call.signal.aborted) throw call.signal.reason;
    throw toPresentableError(wire.mapError(error, link.head()), secrets);
  }
}
