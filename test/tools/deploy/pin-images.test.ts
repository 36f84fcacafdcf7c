import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fetchDigest, imagesIn, pinImages } from '../../../tools/deploy/pin-images.ts';
import { readProjectFile } from '../../house/project-files.ts';

const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
const INDEX = JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [] });
const DIGEST = `sha256:${createHash('sha256').update(INDEX).digest('hex')}`;

/** A registry that gives a token to everyone, and its index to those who show the token. */
let registry: Server;
let host: string;
beforeAll(async () => {
  registry = createServer((request, response) => {
    const url = new URL(request.url ?? '', `http://${host}`);
    if (url.pathname === '/token') {
      response.end(JSON.stringify({ token: `for ${url.searchParams.get('scope')}` }));
    } else if (request.headers.authorization !== 'Bearer for repository:team/app:pull') {
      response.statusCode = 401;
      response.setHeader('www-authenticate', `Bearer realm="http://${host}/token",service="it"`);
      response.end();
    } else if (url.pathname.endsWith('/1.0')) {
      response.setHeader('content-type', INDEX_TYPE).setHeader('docker-content-digest', DIGEST).end(INDEX);
    } else if (url.pathname.endsWith('/lying')) {
      response.setHeader('content-type', INDEX_TYPE).setHeader('docker-content-digest', DIGEST).end('{}');
    } else if (url.pathname.endsWith('/one-platform')) {
      response.setHeader('content-type', 'application/vnd.oci.image.manifest.v1+json').end('{}');
    } else {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  const address = registry.address();
  host = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterAll(() => new Promise((resolve) => registry.close(resolve)));

describe('the digest of an image', () => {
  test('is that of the bytes of its index, fetched with a token', async () => {
    expect(await fetchDigest(`${host}/team/app:1.0`)).toBe(DIGEST);
  });

  test.each([
    ['lying', 'its bytes are'],
    ['one-platform', 'no index of platforms'],
    ['gone', '404'],
  ])('is refused for the tag %s', async (tag, reason) => {
    await expect(fetchDigest(`${host}/team/app:${tag}`)).rejects.toThrow(reason);
  });
});

describe('the images of our files', () => {
  test('are all found, but for the one that we build', () => {
    const names = ['Dockerfile', 'docker-compose.yml'].flatMap((file) =>
      imagesIn(readProjectFile(file)).map(({ name }) => name),
    );
    const expected = [
      'node',
      'postgres',
      'temporalio/server',
      'redis',
      'qdrant/qdrant',
      'nginx',
      'grafana/grafana',
    ];
    for (const image of expected)
      expect(names).toContainEqual(expect.stringMatching(new RegExp(`^${image}:`)));
    expect(names.filter((name) => name.startsWith('unbroken'))).toEqual([]);
  });

  test('are pinned in their place, and an old pin is replaced', () => {
    const text = `FROM node:24.21.0-slim AS build\n    image: redis:7.4.7@sha256:${'0'.repeat(64)}\n  image: unbroken:0.2.0\n`;
    const digests = new Map([
      ['node:24.21.0-slim', DIGEST],
      ['redis:7.4.7', DIGEST],
    ]);
    const pinned = pinImages(text, digests);
    expect(pinned).toBe(
      `FROM node:24.21.0-slim@${DIGEST} AS build\n    image: redis:7.4.7@${DIGEST}\n  image: unbroken:0.2.0\n`,
    );
    expect(imagesIn(pinned).map(({ digest }) => digest)).toEqual([DIGEST, DIGEST]);
  });
});
