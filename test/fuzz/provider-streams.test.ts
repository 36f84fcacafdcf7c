import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { adapterFor, simulatedConfig } from '../engine/providers/adapter-for.ts';
import { type FixtureServer, startFixtureServer } from '../engine/providers/fixture-server.ts';
import { callOf, errorOf, hear } from '../engine/providers/hear.ts';
import { chooseSeed } from '../harness/random.ts';
import { fuzzProviderStreams } from './fuzz-provider-streams.ts';

test('a stream of a provider is the same wherever it is split, and a broken one ends in an error of the table', async () => {
  const report = await fuzzProviderStreams({ seed: chooseSeed(), inputs: 1_200 });
  expect(report.failures).toEqual([]);
  expect(report.inputs).toBeGreaterThanOrEqual(1_200);
});

describe('a chunk that is not of the format is reported as such, not as a connection that broke', () => {
  let server: FixtureServer;
  beforeAll(async () => {
    server = await startFixtureServer();
  });
  afterAll(() => server.stop());
  const headers = { 'content-type': 'text/event-stream' };

  test.each([
    ['openai-responses', 'data: null\n\n'],
    [
      'openai-responses',
      `data: {"type":"response.created","response":{"id":"resp_1"},"sequence_number":0}\n\ndata: {"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","name":"f","arguments":""},"sequence_number":1}\n\n`,
    ],
    ['openai-chat', 'data: null\n\n'],
    ['anthropic-messages', 'event: content_block_start\ndata: {"type":"content_block_start","index":0}\n\n'],
  ] as const)('%s', async (wire, text) => {
    server.play({ status: 200, headers, body: Buffer.from(text) });
    const heard = await hear(adapterFor(wire, simulatedConfig(wire, server.url)), callOf({}));
    expect(errorOf(heard)?.code).toBe('provider_malformed');
  });
});
