/** Traces a provider call as a span, by OpenTelemetry's conventions for generative AI. */
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { inputTokensOf, outputTokensOf } from '../../contracts/money.ts';
import type { ProviderCall } from '../providers/provider.ts';
import { errorTypeOf } from './measure-calls.ts';
import { type CallWatcher, isContent } from './observe-calls.ts';
import type { Tracing } from './tracing.ts';

/** Of one attribute: a span is not a place for long texts. */
const CONTENT_CHARS = 32_000;

export function traceCalls({ tracer, settings }: Tracing): CallWatcher {
  return (provider, call) => {
    const span = tracer.startSpan(`chat ${call.model}`, {
      kind: SpanKind.CLIENT,
      attributes: attributesOf(provider, call),
    });
    let hasContent = false;
    let text = '';
    if (settings.capturesContent) {
      span.setAttribute('gen_ai.input.messages', inputOf(call));
    }
    return {
      event(event) {
        if (!hasContent && isContent(event)) {
          hasContent = true;
          span.addEvent('gen_ai.first_token');
        }
        if (settings.capturesContent && event.type === 'text' && text.length < CONTENT_CHARS)
          text += event.text;
        if (event.type === 'accepted' && event.cursor !== undefined) {
          span.setAttribute('gen_ai.response.id', event.cursor.responseId);
        }
        if (event.type !== 'finish') return;
        span.setAttribute('gen_ai.response.finish_reasons', [event.reason]);
        if (event.usage === null) return;
        span.setAttributes({
          'gen_ai.usage.input_tokens': inputTokensOf(event.usage),
          'gen_ai.usage.cache_read.input_tokens': event.usage.cachedInputTokens,
          'gen_ai.usage.cache_creation.input_tokens': event.usage.cacheWriteTokens,
          'gen_ai.usage.output_tokens': outputTokensOf(event.usage),
        });
      },
      end(error) {
        if (settings.capturesContent) {
          const parts = [{ type: 'text', content: text.slice(0, CONTENT_CHARS) }];
          span.setAttribute('gen_ai.output.messages', JSON.stringify([{ role: 'assistant', parts }]));
        }
        const type = errorTypeOf(error, call.signal);
        if (type !== '') {
          // Only our code: a vendor's message may quote the prompt.
          span.setAttribute('error.type', type);
          if (type !== 'stopped') span.setStatus({ code: SpanStatusCode.ERROR });
        }
        span.end();
      },
    };
  };
}

function attributesOf(
  provider: string,
  { model, input, maxOutputTokens, resume, idempotencyKey }: ProviderCall,
) {
  const { temperature, topP, stop } = input;
  // The key consists of generation and attempt.
  const [generationId = '', attempt = ''] = idempotencyKey.split(':');
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': provider,
    'gen_ai.request.model': model,
    ...(maxOutputTokens === null ? {} : { 'gen_ai.request.max_tokens': maxOutputTokens }),
    ...(temperature === undefined ? {} : { 'gen_ai.request.temperature': temperature }),
    ...(topP === undefined ? {} : { 'gen_ai.request.top_p': topP }),
    ...(stop === undefined ? {} : { 'gen_ai.request.stop_sequences': [...stop] }),
    'unbroken.generation.id': generationId,
    'unbroken.attempt': Number(attempt),
    'unbroken.resume': resume.strategy,
  };
}

function inputOf({ input }: ProviderCall): string {
  const messages =
    input.system === undefined
      ? input.messages
      : [{ role: 'system', content: input.system }, ...input.messages];
  return JSON.stringify(messages).slice(0, CONTENT_CHARS);
}
