/** Anthropic's Messages API: a cut answer is continued by prefill (models up to 4.5) or by instruction (from 4.6). */
import Anthropic from '@anthropic-ai/sdk';
import { LIMITS } from '../../contracts/limits.ts';
import { dropRepeatedSpace } from '../continue-instruction.ts';
import type { Link } from '../http-link.ts';
import type { Provider, ProviderCall, ProviderEvent } from '../provider.ts';
import type { ProviderSettings } from '../provider-settings.ts';
import { streamCall } from '../stream-call.ts';
import { toError } from './errors.ts';
import { toRequest } from './request.ts';
import { toProviderEvents } from './stream.ts';

export function createAnthropicMessages(settings: ProviderSettings): Provider {
  return {
    name: settings.name,
    capabilities: (model) => ({
      reattach: false,
      prefill: settings.capabilities?.prefill ?? takesPrefill(model),
      instruct: settings.capabilities?.instruct ?? true,
    }),
    stream: (call) =>
      streamCall(call, settings, (link) => events(clientFor(settings, link), call, link.signal), toError),
  };
}

function clientFor({ baseUrl }: ProviderSettings, { apiKey, fetch }: Link): Anthropic {
  return new Anthropic({
    apiKey,
    fetch,
    maxRetries: 0,
    // Its errors are ours to report; its log could show the prompt.
    logLevel: 'off',
    timeout: LIMITS.generationMs,
    ...(baseUrl === undefined ? {} : { baseURL: baseUrl }),
  });
}

/** From 4.6 on a prefill gets a 400. Names: claude-sonnet-4-5-20250929, claude-opus-4-6, claude-3-7-sonnet-latest. */
function takesPrefill(model: string): boolean {
  const version = /-(\d+)-(\d)(?!\d)/.exec(model);
  if (version === null) return !/-[5-9](?!\d)/.test(model) && !model.includes('no-prefill');
  return Number(version[1]) * 10 + Number(version[2]) <= 45;
}

async function* events(
  client: Anthropic,
  call: ProviderCall,
  signal: AbortSignal,
): AsyncGenerator<ProviderEvent> {
  const withoutRepeat = dropRepeatedSpace('deliveredText' in call.resume ? call.resume.deliveredText : '');
  const stream = await client.messages.create(toRequest(call), { signal });
  for await (const event of toProviderEvents(stream, 'deliveredText' in call.resume)) {
    if (event.type !== 'text') {
      yield event;
      continue;
    }
    const text = withoutRepeat(event.text);
    if (text !== '') yield { type: 'text', text };
  }
}
