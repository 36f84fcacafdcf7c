/** Providers whose package only its users install: Claude on Bedrock, and any AI SDK package. */
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { adapterFor } from '../engine/providers/adapter-for.ts';
import {
  type Fixture,
  type FixtureServer,
  readFixture,
  startFixtureServer,
} from '../engine/providers/fixture-server.ts';
import { callOf, errorOf, finishOf, hear } from '../engine/providers/hear.ts';

let server: FixtureServer;
beforeAll(async () => {
  server = await startFixtureServer();
});
afterAll(() => server.stop());

/**
 * Anthropic's events as Bedrock frames them. Source: AWS, "Event stream encoding": lengths, a checksum of these,
 * headers, the payload, a checksum of all.
 */
function framed(fixture: Fixture): Fixture {
  const events = fixture.body
    .toString('utf8')
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice('data: '.length));
  const messages = events.map((event) =>
    frame(JSON.stringify({ bytes: Buffer.from(event).toString('base64') }), [
      [':event-type', 'chunk'],
      [':content-type', 'application/json'],
      [':message-type', 'event'],
    ]),
  );
  return {
    ...fixture,
    headers: { 'content-type': 'application/vnd.amazon.eventstream' },
    body: Buffer.concat(messages),
  };
}

function frame(payload: string, headers: readonly (readonly [string, string])[]): Buffer {
  const head = Buffer.concat(
    headers.map(([name, value]) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(Buffer.byteLength(value));
      // 7: a string.
      return Buffer.concat([
        Buffer.from([name.length]),
        Buffer.from(name),
        Buffer.from([7]),
        length,
        Buffer.from(value),
      ]);
    }),
  );
  const body = Buffer.from(payload);
  const prelude = Buffer.alloc(8);
  prelude.writeUInt32BE(16 + head.length + body.length, 0);
  prelude.writeUInt32BE(head.length, 4);
  const withoutEnd = Buffer.concat([prelude, checksum(prelude), head, body]);
  return Buffer.concat([withoutEnd, checksum(withoutEnd)]);
}

function checksum(bytes: Buffer): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return sum;
}

describe('Bedrock', () => {
  const bedrock = () =>
    adapterFor('bedrock', { wire: 'bedrock', region: 'eu-central-1', baseUrl: server.url });
  const model = 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0';

  test.each(['whole', 'bytes'] as const)(
    'an answer in frames (%s) is read as the same answer',
    async (delivery) => {
      server.play(framed(readFixture('anthropic-messages', 'plain')), delivery);
      const heard = await hear(bedrock(), callOf({}, { model }));
      expect(heard.error).toBeUndefined();
      expect(heard.text).toBe('Hi thère! 🚀 Ok.');
      expect(finishOf(heard)).toMatchObject({ reason: 'stop', usage: { inputTokens: 25, outputTokens: 15 } });
      expect(server.requests.at(-1)?.path).toBe(`/model/${model}/invoke-with-response-stream`);
    },
  );

  test('tools and thoughts are read, and a prefill is known to be taken', async () => {
    server.play(framed(readFixture('anthropic-messages', 'tools')));
    const heard = await hear(bedrock(), callOf({}, { model }));
    expect(heard.calls.map(({ name }) => name)).toEqual(['get_weather', 'get_time']);
    expect(bedrock().capabilities(model)).toEqual({ reattach: false, prefill: true, instruct: true });
    expect(bedrock().capabilities('anthropic.claude-opus-4-8').prefill).toBe(false);
  });

  test('an answer that ends without its last frame is cut', async () => {
    server.play(framed(readFixture('anthropic-messages', 'truncated')));
    expect(errorOf(await hear(bedrock(), callOf({}, { model })))?.code).toBe('provider_stream_cut');
  });

  test('a refusal has its code and its wait', async () => {
    server.play({
      status: 429,
      headers: { 'content-type': 'application/json', 'retry-after': '4' },
      body: Buffer.from('{"message":"Too many requests, please wait before trying again."}'),
    });
    expect(errorOf(await hear(bedrock(), callOf({}, { model })))).toMatchObject({
      code: 'provider_rate_limited',
      retryAfterMs: 4_000,
    });
  });
});

describe('an AI SDK package', () => {
  test('that is not installed is reported with the command that installs it', () => {
    expect(() => adapterFor('far', { wire: 'ai-sdk', package: '@ai-sdk/not-there' })).toThrow(
      'providers.far: the package @ai-sdk/not-there is not installed. Run: npm install @ai-sdk/not-there',
    );
  });

  test('that is not a provider is reported', async () => {
    const provider = adapterFor('odd', { wire: 'ai-sdk', package: 'fast-check' });
    expect(errorOf(await hear(provider, callOf({})))).toMatchObject({
      code: 'provider_bad_request',
      message: expect.stringContaining('fast-check'),
    });
  });

  test('reads what the vendor of the package recorded', async () => {
    const provider = adapterFor('groq', {
      wire: 'ai-sdk',
      package: '@ai-sdk/groq',
      baseUrl: `${server.url}/v1`,
    });
    server.play(readFixture('openai-chat', 'usage-groq'), 'bytes');
    const heard = await hear(provider, callOf({}));
    expect(heard.text).toBe('Two.');
    expect(finishOf(heard)).toMatchObject({ reason: 'stop', usage: { inputTokens: 18, outputTokens: 3 } });
    server.play(readFixture('openai-chat', 'truncated'));
    expect(errorOf(await hear(provider, callOf({})))?.code).toBe('provider_stream_cut');
    server.play(readFixture('openai-chat', 'error-quota'));
    expect(errorOf(await hear(provider, callOf({})))?.code).toBe('provider_quota_exhausted');
  });
});
