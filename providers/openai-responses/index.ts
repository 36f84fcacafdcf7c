/** OpenAI's Responses API in background mode: a response that is cut is taken up again and nothing is paid twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI from 'openai';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { createLink, type Link } from '../http-link.ts';
import type { Provider, ProviderCall, ProviderCursor, ProviderEvent } from '../provider.ts';
import type { ProviderSettings } from '../provider-settings.ts';
import { streamCall } from '../stream-call.ts';
import { toError } from './errors.ts';
import { toRequest } from './request.ts';
import { finishOf, toProviderEvents } from './stream.ts';
import { toUsage } from './usage.ts';

const POLL_MS = 500;
/** Longest that the end of a response may take to be asked for; nobody waits for it with a budget held. */
const STOP_MS = 10_000;

export function createOpenAiResponses(settings: ProviderSettings): Provider {
  return {
    name: settings.name,
    capabilities: () => ({
      reattach: settings.capabilities?.reattach ?? true,
      prefill: false,
      instruct: settings.capabilities?.instruct ?? true,
    }),
    stream: (call) =>
      streamCall(call, settings, (link) => events(clientFor(settings, link), call, link.signal), toError),
    async stop(responseId, apiKey) {
      const signal = AbortSignal.timeout(STOP_MS);
      const client = clientFor(settings, createLink({ apiKey }, settings, signal));
      try {
        return toUsage((await client.responses.cancel(responseId, { signal })).usage);
      } catch {
        // It has ended already: then its record says what it used.
        const ended = await client.responses.retrieve(responseId, {}, { signal }).catch(() => null);
        return toUsage(ended?.usage);
      }
    },
  };
}

function clientFor({ baseUrl }: ProviderSettings, { apiKey, fetch }: Link): OpenAI {
  return new OpenAI({
    apiKey,
    fetch,
    maxRetries: 0,
    // Its errors are ours to report; its log could show the prompt.
    logLevel: 'off',
    timeout: LIMITS.generationMs,
    ...(baseUrl === undefined ? {} : { baseURL: baseUrl }),
  });
}

async function* events(
  client: OpenAI,
  call: ProviderCall,
  signal: AbortSignal,
): AsyncGenerator<ProviderEvent> {
  const cursor = call.resume.strategy === 'reattach' ? call.resume.cursor : null;
  if (cursor === null) {
    const headers = { 'Idempotency-Key': call.idempotencyKey };
    const stream = await client.responses.create(toRequest(call), { signal, headers });
    yield* toProviderEvents(stream, null, 'deliveredText' in call.resume);
    return;
  }
  const stream = await reattach(client, cursor, signal);
  yield* stream === null
    ? poll(client, cursor, signal)
    : toProviderEvents(stream, cursor, cursor.textChars > 0);
}

/** @returns null where the API streams this response no more (it is over five minutes old, or has ended). */
async function reattach(client: OpenAI, cursor: ProviderCursor, signal: AbortSignal) {
  try {
    return await client.responses.retrieve(
      cursor.responseId,
      { stream: true, starting_after: cursor.sequenceNumber },
      { signal },
    );
  } catch (error) {
    if (error instanceof OpenAI.BadRequestError) return null;
    throw error;
  }
}

/** Asks for the whole response until it has ended, and passes on what is not yet in the log. */
async function* poll(
  client: OpenAI,
  cursor: ProviderCursor,
  signal: AbortSignal,
): AsyncGenerator<ProviderEvent> {
  let { textChars } = cursor;
  for (;;) {
    const response = await client.responses.retrieve(cursor.responseId, {}, { signal });
    if (response === undefined) throw new UnbrokenError('provider_malformed', 'The response has no body.');
    const text = response.output_text.slice(textChars);
    textChars += text.length;
    if (text !== '') yield { type: 'text', text, cursor: { ...cursor, textChars } };
    if (response.status !== 'in_progress' && response.status !== 'queued') {
      yield finishOf(response, textChars > 0);
      return;
    }
    await sleep(POLL_MS, null, { signal });
  }
}
