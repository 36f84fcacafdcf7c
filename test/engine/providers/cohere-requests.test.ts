/** What Cohere refuses in a request. Each test names where it was reported. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Message } from '../../../contracts/content.ts';
import { adapterFor, simulatedConfig } from './adapter-for.ts';
import { type FixtureServer, readFixture, startFixtureServer } from './fixture-server.ts';
import { callOf, hear } from './hear.ts';

let server: FixtureServer;
beforeAll(async () => {
  server = await startFixtureServer();
});
afterAll(() => server.stop());

async function sent(messages: readonly Message[]): Promise<unknown> {
  server.requests.length = 0;
  server.play(readFixture('cohere', 'plain'));
  const { error } = await hear(
    adapterFor('cohere', simulatedConfig('cohere', server.url)),
    callOf({ messages }, { model: 'command-a-vision-07-2025' }),
  );
  expect(error).toBeUndefined();
  return (server.requests[0]?.body as { readonly messages?: unknown } | undefined)?.messages;
}

// https://github.com/kwaroran/Risuai/issues/504
test('an empty text is left out, and so is a turn without anything else', async () => {
  const image = 'data:image/png;base64,iVBORw0KGgo=';
  const messages: Message[] = [
    { role: 'user', content: '' },
    { role: 'assistant', content: 'Yes?' },
    {
      role: 'user',
      content: [
        { type: 'text', text: '' },
        { type: 'image', url: image },
      ],
    },
  ];
  expect(await sent(messages)).toEqual([
    { role: 'assistant', content: 'Yes?' },
    { role: 'user', content: [{ type: 'image_url', image_url: { url: image } }] },
  ]);
});
