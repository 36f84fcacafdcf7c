import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { functionTools } from '../../../contracts/content.ts';
import type { ErrorCode } from '../../../contracts/errors.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type {
  Provider,
  ProviderCall,
  ProviderCursor,
  ProviderEvent,
} from '../../../engine/providers/provider.ts';
import {
  createSimulatedProvider,
  type SimulatedProvider,
} from '../../../tools/simulator/create-simulated-provider.ts';
import { trueText } from '../../../tools/simulator/true-text.ts';
import { adapterFor, simulatedConfig, simulatedWire, WIRES } from './adapter-for.ts';
import { EVERYWHERE } from './faults-everywhere.ts';

const WITH_AZURE = [...WIRES, 'azure-openai'] as const;
type Wire = (typeof WITH_AZURE)[number];
let sim: SimulatedProvider;
const adapters = new Map<Wire, Provider>();
let count = 0;

beforeAll(async () => {
  sim = await createSimulatedProvider();
  for (const wire of WITH_AZURE) adapters.set(wire, adapterFor(wire, simulatedConfig(wire, sim.url)));
});
afterAll(() => sim.stop());
afterEach(async () => {
  await control('DELETE', 'faults');
  await control('DELETE', 'calls');
});

async function control(method: string, path: string, body?: object): Promise<unknown> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await fetch(`${sim.url}/_sim/${path}`, init);
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

const calls = async () =>
  (await control('GET', 'calls')) as { outputTokensGenerated: number; state: string }[];

function trueTextOf({ input }: ProviderCall): string {
  return trueText({ ...input, tools: functionTools(input.tools) });
}

function adapter(wire: Wire): Provider {
  const found = adapters.get(wire);
  if (found === undefined) throw new Error(wire);
  return found;
}

function callFor(tokens: number, extra: Partial<ProviderCall> = {}): ProviderCall {
  count += 1;
  const content = `Question ${count} [[sim tokens=${tokens} delay_ms=1]]`;
  return {
    model: 'sim-large',
    input: { system: 'Be brief.', messages: [{ role: 'user', content }], maxOutputTokens: 4_000 },
    maxOutputTokens: 4_000,
    idempotencyKey: `key-${count}`,
    resume: { strategy: 'start' },
    signal: new AbortController().signal,
    ...extra,
  };
}

interface Heard {
  text: string;
  events: ProviderEvent[];
  cursor: ProviderCursor | undefined;
  error: unknown;
}

async function hear(provider: Provider, call: ProviderCall): Promise<Heard> {
  const heard: Heard = { text: '', events: [], cursor: undefined, error: undefined };
  try {
    for await (const event of provider.stream(call)) {
      heard.events.push(event);
      if (event.type === 'text') heard.text += event.text;
      if ('cursor' in event) heard.cursor = event.cursor;
    }
  } catch (error) {
    heard.error = error;
  }
  return heard;
}

function codeOf(heard: Heard): ErrorCode | undefined {
  return heard.error instanceof UnbrokenError ? heard.error.code : undefined;
}

describe.each(WITH_AZURE)('%s', (wire) => {
  test('the whole text equals the true text, and the usage is what was generated', async () => {
    const call = callFor(120);
    const { text, events, error } = await hear(adapter(wire), call);
    expect(error).toBeUndefined();
    expect(text).toBe(trueTextOf(call));
    expect(events[0]?.type).toBe('accepted');
    expect(events.at(-1)).toMatchObject({ type: 'finish', reason: 'stop', usage: { outputTokens: 120 } });
  });

  test('an output cap ends the answer with the reason length', async () => {
    const call = callFor(120, { maxOutputTokens: 30 });
    const { text, events } = await hear(adapter(wire), call);
    expect(trueTextOf(call).startsWith(text)).toBe(true);
    expect(events.at(-1)).toMatchObject({ type: 'finish', reason: 'length', usage: { outputTokens: 30 } });
  });

  test('a continuation by instruction is exact wherever the answer was cut', async () => {
    const call = callFor(70);
    const whole = trueTextOf(call);
    for (const at of [
      1,
      whole.indexOf('\n\n') + 1,
      whole.indexOf('\n\n') + 2,
      whole.length - 3,
      whole.length,
    ]) {
      const deliveredText = whole.slice(0, at);
      const { text, error } = await hear(adapter(wire), {
        ...call,
        resume: { strategy: 'instruct', deliveredText },
      });
      expect(error).toBeUndefined();
      expect(deliveredText + text).toBe(whole);
    }
  });

  test.each(EVERYWHERE)(
    'the fault $says has its code, and no error tells the key',
    async ({ fault, code, retryAfterMs, limits }) => {
      const call = callFor(30);
      await control('POST', 'faults', { ...fault, wire: simulatedWire(wire) });
      const provider =
        limits === undefined ? adapter(wire) : adapterFor(wire, simulatedConfig(wire, sim.url), limits);
      const heard = await hear(provider, call);
      expect(codeOf(heard)).toBe(code);
      expect(JSON.stringify([String(heard.error), heard.error])).not.toContain('0123456789');
      expect(trueTextOf(call).startsWith(heard.text)).toBe(true);
      expect(heard.error).toMatchObject({ retryAfterMs });
      if ('afterTokens' in fault) expect(heard.text).not.toBe('');
    },
  );

  test('a report without usage is null, not zero', async () => {
    await control('POST', 'faults', { kind: 'no-usage', wire: simulatedWire(wire) });
    const { events } = await hear(adapter(wire), callFor(20));
    expect(events.at(-1)).toMatchObject({ type: 'finish', usage: null });
  });

  test('an abort throws its own reason through', async () => {
    const abort = new AbortController();
    const reason = new Error('the caller cancelled');
    const heard = hear(adapter(wire), callFor(5_000, { signal: abort.signal }));
    const until = Date.now() + 5_000;
    while ((await calls()).length === 0 && Date.now() < until);
    abort.abort(reason);
    expect((await heard).error).toBe(reason);
  });
});

describe('openai-responses', () => {
  test.each(['reattached', 'polled'])(
    'a response cut at token 40 and %s gives the exact text and is generated once',
    async (way) => {
      const call = callFor(200);
      await control('POST', 'faults', { kind: 'cut', afterTokens: 40, wire: 'openai-responses' });
      const first = await hear(adapter('openai-responses'), call);
      expect(codeOf(first)).toBe('provider_stream_cut');
      const { cursor } = first;
      if (cursor === undefined) throw new Error('no cursor');
      expect(cursor.textChars).toBe(first.text.length);
      if (way === 'polled') await control('POST', 'faults', { kind: 'refuse-stream' });
      const rest = await hear(adapter('openai-responses'), {
        ...call,
        resume: { strategy: 'reattach', cursor },
      });
      expect(rest.error).toBeUndefined();
      expect(first.text + rest.text).toBe(trueTextOf(call));
      expect(rest.events.at(-1)).toMatchObject({ type: 'finish', usage: { outputTokens: 200 } });
      expect((await calls()).map((made) => made.outputTokensGenerated)).toEqual([200]);
    },
  );

  test.each(['says so', 'ends without a word', 'is polled'])(
    'a response that was cancelled at the provider is lost, and its usage is reported, if its stream %s',
    async (way) => {
      await control('POST', 'faults', { kind: 'cut', afterTokens: 5, wire: 'openai-responses' });
      const call = callFor(50_000);
      const { cursor } = await hear(adapter('openai-responses'), call);
      if (cursor === undefined) throw new Error('no cursor');
      await fetch(`${sim.url}/v1/responses/${cursor.responseId}/cancel`, { method: 'POST' });
      if (way === 'ends without a word') await control('POST', 'faults', { kind: 'missing-terminal' });
      if (way === 'is polled') await control('POST', 'faults', { kind: 'refuse-stream' });
      const heard = await hear(adapter('openai-responses'), {
        ...call,
        resume: { strategy: 'reattach', cursor },
      });
      expect(codeOf(heard)).toBe('provider_response_lost');
      const [made] = await calls();
      expect(heard.events.find(({ type }) => type === 'usage')).toMatchObject({
        usage: { outputTokens: made?.outputTokensGenerated },
      });
    },
  );

  test('stop ends a running response, tells its usage, and can be said twice', async () => {
    const call = callFor(50_000);
    await control('POST', 'faults', { kind: 'cut', afterTokens: 5, wire: 'openai-responses' });
    const { cursor } = await hear(adapter('openai-responses'), call);
    if (cursor === undefined) throw new Error('no cursor');
    const provider = adapter('openai-responses');
    const usage = await provider.stop?.(cursor.responseId);
    const [made] = await calls();
    expect(made?.state).toBe('cancelled');
    expect(usage?.outputTokens).toBe(made?.outputTokensGenerated);
    expect(await provider.stop?.(cursor.responseId)).toEqual(usage);
  });
});

describe('anthropic-messages', () => {
  test('a continuation by prefill is exact wherever the answer was cut', async () => {
    const call = callFor(70);
    const whole = trueTextOf(call);
    for (const at of [
      1,
      8,
      whole.indexOf('\n\n') + 1,
      whole.indexOf('\n\n') + 2,
      whole.length - 1,
      whole.length,
    ]) {
      const deliveredText = whole.slice(0, at);
      const heard = await hear(adapter('anthropic-messages'), {
        ...call,
        resume: { strategy: 'prefill', deliveredText },
      });
      expect(heard.error).toBeUndefined();
      expect(deliveredText + heard.text).toBe(whole);
    }
  });

  test('a model that takes no prefill refuses it by its own code', async () => {
    const resume = { strategy: 'prefill', deliveredText: 'the' } as const;
    const heard = await hear(
      adapter('anthropic-messages'),
      callFor(20, { model: 'claude-opus-4-6', resume }),
    );
    expect(codeOf(heard)).toBe('provider_prefill_refused');
  });

  test.each([
    ['claude-sonnet-4-5-20250929', true],
    ['claude-3-7-sonnet-latest', true],
    ['claude-opus-4-20250514', true],
    ['claude-opus-4-6', false],
    ['claude-opus-5', false],
  ])('%s takes prefill: %s', (model, prefill) => {
    expect(adapter('anthropic-messages').capabilities(model).prefill).toBe(prefill);
  });

  test('a call ends being generated when its reader leaves', async () => {
    for await (const event of adapter('anthropic-messages').stream(callFor(50_000))) {
      if (event.type === 'text') break;
    }
    const until = Date.now() + 5_000;
    while ((await calls())[0]?.state === 'running' && Date.now() < until);
    expect((await calls())[0]?.state).toBe('cancelled');
  });
});

describe('the simulated provider', () => {
  test.each([
    ['/v1/responses', 'input', 'max_output_tokens'],
    ['/v1/messages', 'messages', 'max_tokens'],
  ])('%s answers whole where no stream is asked for', async (path, field, cap) => {
    const messages = [{ role: 'user' as const, content: 'Whole [[sim tokens=20 delay_ms=1]]' }];
    const body = JSON.stringify({ model: 'sim-large', [cap]: 100, [field]: messages });
    const headers = { 'anthropic-version': '2023-06-01' };
    const response = await fetch(sim.url + path, { method: 'POST', headers, body });
    expect(await response.text()).toContain(JSON.stringify(trueText({ messages })));
    expect(response.headers.get('request-id')).toMatch(/^req_/);
  });
});
