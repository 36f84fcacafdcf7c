/** Calls an adapter and keeps what it says. */
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import type {
  Provider,
  ProviderCall,
  ProviderCursor,
  ProviderEvent,
} from '../../../engine/providers/provider.ts';

export interface Heard {
  text: string;
  reasoning: string;
  /** The tool calls, put together from their pieces. */
  calls: { id: string; name: string; arguments: string }[];
  events: ProviderEvent[];
  cursor: ProviderCursor | undefined;
  error: unknown;
}

export async function hear(provider: Provider, call: ProviderCall): Promise<Heard> {
  const heard: Heard = {
    text: '',
    reasoning: '',
    calls: [],
    events: [],
    cursor: undefined,
    error: undefined,
  };
  try {
    for await (const event of provider.stream(call)) {
      heard.events.push(event);
      if (event.type === 'text') heard.text += event.text;
      if (event.type === 'reasoning') heard.reasoning += event.text;
      if (event.type === 'tool-call') {
        const { index, id, name } = event;
        const known = heard.calls[index];
        const written = (known?.arguments ?? '') + event.arguments;
        heard.calls[index] = { id, name, arguments: written };
      }
      if ('cursor' in event) heard.cursor = event.cursor;
    }
  } catch (error) {
    heard.error = error;
  }
  return heard;
}

export function errorOf(heard: Heard): UnbrokenError | undefined {
  return heard.error instanceof UnbrokenError ? heard.error : undefined;
}

export function finishOf({ events }: Heard): Extract<ProviderEvent, { type: 'finish' }> | undefined {
  const last = events.at(-1);
  return last?.type === 'finish' ? last : undefined;
}

let count = 0;

export function callOf(input: Partial<GenerationInput>, extra: Partial<ProviderCall> = {}): ProviderCall {
  count += 1;
  const whole = {
    messages: [{ role: 'user' as const, content: `Question ${count}` }],
    maxOutputTokens: 4_000,
    ...input,
  };
  return {
    model: 'sim-large',
    input: whole,
    maxOutputTokens: whole.maxOutputTokens,
    idempotencyKey: `key-${count}`,
    resume: { strategy: 'start' },
    signal: new AbortController().signal,
    ...extra,
  };
}
