import { describe, expect, test } from '@jest/globals';
import { checkAccess } from '../../../clients/edge/check-access.ts';
import { MemoryCache } from '../../../clients/edge/memory-cache.ts';

const CREDENTIALS = { headers: { authorization: 'Bearer x' }, hash: 'hash' };
const REQUEST = { generationId: 'gen_1', cursor: '' };
const STANDING = { id: 'gen_1', tenant: 'dev', status: 'completed', nextSeq: 3 };
/** An origin that answers each request with the next of these bodies. */
const originOf = (...bodies: readonly string[]) => {
  const left = [...bodies];
  return { url: 'http://origin', fetch: async () => new Response(left.shift() ?? '') };
};

describe('an origin that answers 200 with anything but a standing counts as down', () => {
  test.each([
    ['nothing', ''],
    ['the page of a proxy', '<html>Sign in</html>'],
    ['JSON of another kind', '{"status":"ok"}'],
    ['null', 'null'],
    ['the standing of another generation', JSON.stringify({ ...STANDING, id: 'gen_2' })],
    ['a number as text', JSON.stringify({ ...STANDING, nextSeq: '3' })],
  ])('%s', async (_what, body) => {
    const cache = new MemoryCache();
    const refused = await checkAccess(originOf(body), cache, REQUEST, CREDENTIALS);
    expect(refused).toBeInstanceOf(Response);
    expect((refused as Response).status).toBe(503);
    const origin = originOf(JSON.stringify(STANDING), body);
    expect(await checkAccess(origin, cache, REQUEST, CREDENTIALS)).toMatchObject({ isFresh: true });
    expect(await checkAccess(origin, cache, REQUEST, CREDENTIALS)).toMatchObject({
      isFresh: false,
      standing: STANDING,
    });
  });
});
