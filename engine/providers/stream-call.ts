/** What every adapter does around its stream: the link, the limits on silence, the abort, and the mapping of errors. */
import type { UnbrokenError } from '../../contracts/errors.ts';
import { type AnswerHead, createLink, type Link } from './http-link.ts';
import { presentable } from './presentable-error.ts';
import type { ProviderCall, ProviderEvent } from './provider.ts';
import type { ProviderSettings } from './provider-settings.ts';
import { readInTime } from './read-in-time.ts';

/** @param head the answer that the error came in or after; null where none was received. */
export type ToError = (error: unknown, head: AnswerHead | null) => UnbrokenError;

export function streamCall(
  call: ProviderCall,
  settings: ProviderSettings,
  open: (link: Link) => AsyncIterable<ProviderEvent>,
  toError: ToError,
): AsyncIterable<ProviderEvent> {
  const request = new AbortController();
  const link = createLink(call, settings, AbortSignal.any([call.signal, request.signal]));
  const mayThink =
    call.input.reasoning !== undefined || settings.factsOf(call.model).capabilities.reasoning === true;
  return readInTime(
    withOwnErrors(call, link, open, (error, head) => presentable(toError(error, head), settings.secrets)),
    settings,
    mayThink,
    () => request.abort(),
  );
}

async function* withOwnErrors(
  call: ProviderCall,
  link: Link,
  open: (link: Link) => AsyncIterable<ProviderEvent>,
  toError: ToError,
): AsyncGenerator<ProviderEvent> {
  try {
    yield* open(link);
  } catch (error) {
    if (call.signal.aborted) throw call.signal.reason;
    throw toError(error, link.head());
  }
}
