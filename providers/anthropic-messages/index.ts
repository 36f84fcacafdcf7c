/** Anthropic's Messages API: a cut answer is continued by prefill (models up to 4.5) or by instruction (from 4.6). */
import Anthropic from '@anthropic-ai/sdk';
import { dropRepeatedSpace } from '../continue-instruction.ts';
import type { ProviderSettings } from '../openai-responses/index.ts';
import type { Provider, ProviderCall, ProviderEvent } from '../provider.ts';
import { readInTime } from '../read-in-time.ts';
import { toError } from './errors.ts';
import { toRequest } from './request.ts';
import { toProviderEvents } from './stream.ts';

export function createAnthropicMessages(settings: ProviderSettings): Provider {
  const client = new Anthropic({
    apiKey: settings.apiKey,
    maxRetries: 0,
    // Its errors are ours to report; its log could show the prompt.
    logLevel: 'off',
    timeout: settings.firstTokenMs + settings.betweenTokensMs,
    ...(settings.baseUrl === undefined ? {} : { baseURL: settings.baseUrl }),
  });
  return {
    name: settings.name,
    capabilities: (model) => ({
      reattach: false,
      prefill: settings.capabilities?.prefill ?? takesPrefill(model),
      instruct: settings.capabilities?.instruct ?? true,
    }),
    stream(call) {
      const request = new AbortController();
      const signal = AbortSignal.any([call.signal, request.signal]);
      return readInTime(events(client, call, signal), settings, () => request.abort());
    },
  };
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
  let isStreaming = false;
  const withoutRepeat = dropRepeatedSpace('deliveredText' in call.resume ? call.resume.deliveredText : '');
  try {
    const stream = await client.messages.create(toRequest(call), { signal });
    isStreaming = true;
    for await (const event of toProviderEvents(stream, 'deliveredText' in call.resume)) {
      if (event.type !== 'text') {
        yield event;
        continue;
      }
      const text = withoutRepeat(event.text);
      if (text !== '') yield { type: 'text', text };
    }
  } catch (error) {
    if (call.signal.aborted) throw call.signal.reason;
    throw toError(error, isStreaming);
  }
}
