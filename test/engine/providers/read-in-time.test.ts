import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { ProviderEvent } from '../../../engine/providers/provider.ts';
import { readInTime } from '../../../engine/providers/read-in-time.ts';

const NO_BYTES = () => 0;
const LIMITS = {
  firstTokenMs: 40,
  betweenTokensMs: 40,
  thinkingMs: 2_000,
  aliveMs: 4_000,
  lastByteAtMs: NO_BYTES,
};
const ACCEPTED: ProviderEvent = { type: 'accepted' };
const TEXT: ProviderEvent = { type: 'text', text: 'a' };

async function* streamOf(...steps: readonly (ProviderEvent | number)[]): AsyncGenerator<ProviderEvent> {
  for (const step of steps) {
    if (typeof step === 'number') await sleep(step);
    else yield step;
  }
}

async function codeOf(events: AsyncIterable<ProviderEvent>, mayThink: boolean): Promise<unknown> {
  let stopped = 0;
  try {
    const stop = () => {
      stopped += 1;
    };
    for await (const _ of readInTime(events, { ...LIMITS, mayThink, stop }));
    return `ended, stopped ${stopped}`;
  } catch (error) {
    return error instanceof Error && 'code' in error ? `${error.code}, stopped ${stopped}` : error;
  }
}

describe('silence', () => {
  test.each<[string, (ProviderEvent | number)[], boolean, string]>([
    ['before the first token is an error', [300, TEXT], false, 'provider_first_token_timeout, stopped 1'],
    [
      'after the call was accepted is the same error for a model that does not think',
      [ACCEPTED, 300, TEXT],
      false,
      'provider_first_token_timeout, stopped 1',
    ],
    [
      'after the call was accepted is allowed for a model that thinks',
      [ACCEPTED, 300, TEXT],
      true,
      'ended, stopped 1',
    ],
    [
      'before the call was accepted is allowed for no model',
      [300, ACCEPTED, TEXT],
      true,
      'provider_first_token_timeout, stopped 1',
    ],
    ['between tokens is an error', [TEXT, 300, TEXT], false, 'provider_stalled, stopped 1'],
    ['between tokens is allowed for a model that thinks', [TEXT, 300, TEXT], true, 'ended, stopped 1'],
    [
      'that is interrupted only by usage reports is silence',
      [
        {
          type: 'usage',
          usage: {
            inputTokens: 1,
            cachedInputTokens: 0,
            cacheWriteTokens: 0,
            outputTokens: 0,
            reasoningTokens: 0,
            estimated: true,
          },
        },
        300,
        TEXT,
      ],
      false,
      'provider_first_token_timeout, stopped 1',
    ],
  ])('%s', async (_name, steps, mayThink, expected) => {
    expect(await codeOf(streamOf(...steps), mayThink)).toBe(expected);
  });

  test('of the reader does not count as the provider’s', async () => {
    const read: string[] = [];
    for await (const event of readInTime(streamOf(TEXT, TEXT), {
      ...LIMITS,
      mayThink: false,
      stop: () => undefined,
    })) {
      read.push(event.type);
      await sleep(120);
    }
    expect(read).toEqual(['text', 'text']);
  });

  test('in events is none while bytes arrive, but not for longer than a provider may be without content', async () => {
    const limits = { ...LIMITS, mayThink: false, lastByteAtMs: () => Date.now(), stop: () => undefined };
    const read = async (aliveMs: number) => {
      for await (const _ of readInTime(streamOf(TEXT, 300, TEXT), { ...limits, aliveMs }));
    };
    await expect(read(4_000)).resolves.toBeUndefined();
    await expect(read(120)).rejects.toMatchObject({ code: 'provider_stalled' });
  });
});
