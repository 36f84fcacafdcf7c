/**
 * OpenAI's Responses API in background mode: after an interruption we reattach to the response, and pay nothing twice.
 */
import OpenAI from 'openai';
import type { Usage } from '../../../contracts/money.ts';
import { createAdapter } from '../adapter.ts';
import { clientOptions } from '../client-options.ts';
import { createLink, type Link } from '../http-link.ts';
import { mapOpenAiError } from '../openai-chat/errors.ts';
import type { Provider } from '../provider.ts';
import type { ProviderSettings } from '../provider-settings.ts';
import { withStandardTier } from '../standard-tier.ts';
import { reattachOpenAiResponse } from './reattach.ts';
import { streamOpenAiResponse } from './stream.ts';
import { mapOpenAiResponseUsage } from './usage.ts';

/**
 * Longest that a request to end a response may take, while its budget stays reserved. The step that closes a log may
 * wait for a leader before it, and has 15 s in total: with more, a provider that never answers would keep the run
 * open.
 */
const STOP_MS = 6_000;

export function createOpenAiResponses(settings: ProviderSettings): Provider {
  const adapter = createAdapter(settings, {
    takesStreams: true,
    stream(call, link) {
      const client = openAiClient(settings, link);
      const { resume } = call;
      if (resume.strategy === 'reattach') return reattachOpenAiResponse(client, { ...call, resume }, link);
      const { reattach, reasoning } = settings.factsOf(call.model).capabilities;
      const mode = { isBackground: reattach, reasons: reasoning === true, link };
      const priced = withStandardTier(call, 'openai-responses', settings.baseUrl);
      return streamOpenAiResponse(client, priced, mode);
    },
    mapError: mapOpenAiError,
  });
  return { ...adapter, stop: (responseId, apiKey) => stopResponse(settings, responseId, apiKey) };
}

async function stopResponse(
  settings: ProviderSettings,
  responseId: string,
  apiKey: string | undefined,
): Promise<Usage | null> {
  const signal = AbortSignal.timeout(STOP_MS);
  const client = openAiClient(settings, createLink({ apiKey }, settings, signal));
  try {
    return mapOpenAiResponseUsage((await client.responses.cancel(responseId, { signal })).usage);
  } catch {
    // It has ended already: then its record has its usage.
    const ended = await client.responses.retrieve(responseId, {}, { signal }).catch(() => null);
    return mapOpenAiResponseUsage(ended?.usage);
  }
}

function openAiClient({ baseUrl }: ProviderSettings, link: Link): OpenAI {
  return new OpenAI(clientOptions(link, baseUrl));
}
