import { expect, test } from '@jest/globals';
import { pageKey } from '../../../clients/edge/edge-cache.ts';
import { MemoryCache } from '../../../clients/edge/memory-cache.ts';
import { createRelay } from '../../../clients/edge/relay.ts';

const STANDING = { id: 'gen_1', tenant: 'dev', status: 'completed', nextSeq: 9 };

/** The answer of the relay, and its requests to the origin. */
async function relay(path: string, answer: () => Response) {
  const requests: string[] = [];
  const origin = {
    url: 'http://origin',
    fetch: async (url: Parameters<typeof fetch>[0]) => {
      requests.push(String(url).replace('http://origin', ''));
      return answer();
    },
  };
  const serve = createRelay({
    origin,
    cache: new MemoryCache(),
    viewLive: () => new Response(null, { status: 204 }),
  });
  const headers = { authorization: 'Bearer x' };
  const response = await serve(new Request(`http://edge/v1/generations/gen_1/${path}`, { headers }));
  return { requests, status: response.status, body: await response.text() };
}

test('a viewer whose events are no longer those of the log gets 409 at the edge, as at the origin', async () => {
  const lost = () => Response.json({ error: { code: 'log_tail_lost' } }, { status: 409 });
  const refused = await relay('events?after=4&at=1700000000000', lost);
  expect(refused.requests).toEqual(['/v1/generations/gen_1/standing?after=4&at=1700000000000']);
  expect(refused).toMatchObject({ status: 409, body: expect.stringContaining('log_tail_lost') });
});

test('a cursor without its time is not sent to the origin for a check', async () => {
  const running = () => Response.json({ ...STANDING, status: 'running' });
  const { requests } = await relay('events?after=4', running);
  expect(requests).toEqual(['/v1/generations/gen_1/standing']);
});

test('pages cached before a log lost its tail are not served after it', () => {
  const whole = pageKey('http://origin', STANDING, 0);
  expect(pageKey('http://origin', { ...STANDING, tornUntil: 5 }, 0)).not.toBe(whole);
  expect(pageKey('http://origin', STANDING, 0)).toBe(whole);
});
