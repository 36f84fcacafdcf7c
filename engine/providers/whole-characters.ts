/**
 * Characters that come in halves. A server that cuts its text by the units of UTF-16 sends one half of an emoji with a
 * delta and the other with the next. No half can be encoded: clients in most languages cannot read such an event. A
 * delta that ends in one waits for the next, whose cursor then covers both; a half that stays alone is U+FFFD.
 */
import type { ProviderEvent } from './provider.ts';

type Delta = Extract<ProviderEvent, { type: 'text' | 'reasoning' | 'tool-call' }>;

export async function* withWholeCharacters(
  events: AsyncIterable<ProviderEvent>,
): AsyncGenerator<ProviderEvent> {
  let held: Delta | null = null;
  for await (const event of events) {
    if (event.type === 'usage') {
      yield event;
      continue;
    }
    if (held !== null && !(isDelta(event) && isSamePlace(held, event))) {
      yield wellFormed(held);
      held = null;
    }
    if (!isDelta(event)) {
      yield event;
      continue;
    }
    const own: Delta = held === null ? event : joined(held, event);
    held = endsInHalf(textOf(own)) ? own : null;
    if (held === null) yield wellFormed(own);
  }
  if (held !== null) yield wellFormed(held);
}

function isDelta(event: ProviderEvent): event is Delta {
  return event.type === 'text' || event.type === 'reasoning' || event.type === 'tool-call';
}

function textOf(delta: Delta): string {
  return delta.type === 'tool-call' ? delta.arguments : delta.text;
}

/** The first half comes from 0xd800 to 0xdbff. */
function endsInHalf(text: string): boolean {
  return (text.charCodeAt(text.length - 1) & 0xfc00) === 0xd800;
}

function isSamePlace(held: Delta, next: Delta): boolean {
  if (held.type === 'tool-call') return next.type === 'tool-call' && held.index === next.index;
  if (held.type === 'text') return next.type === 'text';
  return next.type === 'reasoning' && held.item === next.item && held.part === next.part;
}

function joined(held: Delta, next: Delta): Delta {
  const text = textOf(held) + textOf(next);
  if (next.type === 'tool-call') return { ...next, arguments: text };
  if (held.type !== 'text' || next.type !== 'text') return { ...next, text };
  const logprobs = [...(held.logprobs ?? []), ...(next.logprobs ?? [])];
  return { ...next, text, ...(logprobs.length === 0 ? {} : { logprobs }) };
}

function wellFormed(delta: Delta): Delta {
  const text = textOf(delta);
  if (text.isWellFormed()) return delta;
  const whole = text.toWellFormed();
  return delta.type === 'tool-call' ? { ...delta, arguments: whole } : { ...delta, text: whole };
}
