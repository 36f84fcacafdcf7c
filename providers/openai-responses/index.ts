/** OpenAI's Responses API in background mode: a response that is cut is taken up again and nothing is paid twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI from 'openai';
import { UnbrokenError } from '../../contracts/errors.ts';
import type {
  Provider,
  ProviderCall,
  ProviderCapabilities,
  ProviderCursor,
  ProviderEvent,
} from '../provider.ts';
import { readInTime, type SilenceLimits } from '../read-in-time.ts';
import { toError } from './errors.ts';
import { toRequest } from './request.ts';
import { finishOf, toProviderEvents } from './stream.ts';
import { toUsage } from './usage.ts';

export interface ProviderSettings extends SilenceLimits {
  readonly name: string;
  readonly apiKey: string;
  readonly baseUrl: string | undefined;
  readonly capabilities: { readonly [Name in keyof ProviderCapabilities]?: boolean | undefined } | undefined;
}

const POLL_MS = 500;

export function createOpenAiResponses(settings: ProviderSettings): Provider {
  const client = new OpenAI({
    apiKey: settings.apiKey,
    maxRetries: 0,
    // Its errors are ours to report; its log could show the prompt.
    logLevel: 'off',
    timeout: settings.firstTokenMs + settings.betweenTokensMs,
    ...(settings.baseUrl === undefined ? {} : { baseURL: settings.baseUrl }),
  });
  return {
    name: settings.name,
    capabilities: () => ({
      reattach: settings.capabilities?.reattach ?? true,
      prefill: false,
      instruct: settings.capabilities?.instruct ?? true,
    }),
    stream(call) {
      const request = new AbortController();
      const signal = AbortSignal.any([call.signal, request.signal]);
      return readInTime(events(client, call, signal), settings, () => request.abort());
    },
    async stop(responseId) {
      try {
        return toUsage((await client.responses.cancel(responseId)).usage);
      } catch {
        // It has ended already: then its record says what it used.
        const ended = await client.responses.retrieve(responseId).catch(() => null);
        return toUsage(ended?.usage);
      }
    },
  };
}

async function* events(
  client: OpenAI,
  call: ProviderCall,
  signal: AbortSignal,
): AsyncGenerator<ProviderEvent> {
  let isStreaming = false;
  const cursor = call.resume.strategy === 'reattach' ? call.resume.cursor : null;
  try {
    if (cursor === null) {
      const headers = { 'Idempotency-Key': call.idempotencyKey };
      const stream = await client.responses.create(toRequest(call), { signal, headers });
      isStreaming = true;
      yield* toProviderEvents(stream, null, 'deliveredText' in call.resume);
      return;
    }
    const stream = await reattach(client, cursor, signal);
    isStreaming = true;
    yield* stream === null
      ? poll(client, cursor, signal)
      : toProviderEvents(stream, cursor, cursor.textChars > 0);
  } catch (error) {
    if (call.signal.aborted) throw call.signal.reason;
    throw toError(error, isStreaming);
  }
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
