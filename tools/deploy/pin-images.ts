/**
 * Pins the images of the Dockerfile and of docker-compose.yml to what their tags name in their registry now:
 *
 *   node tools/deploy/pin-images.ts           # writes name:tag@sha256:...
 *   node tools/deploy/pin-images.ts --check   # exit code 1 if a pin is missing or old; writes nothing
 *
 * It speaks the protocol of registries (github.com/opencontainers/distribution-spec, spec.md, "Pulling manifests").
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { reasonOf } from '../services/programs/service-error.js';

const ROOT = join(import.meta.dirname, '..', '..');
const FILES = ['Dockerfile', 'docker-compose.yml'];
const DOCKER_HUB = 'registry-1.docker.io';
const ANSWER_WITHIN_MS = 20_000;
const MOST_MANIFEST_BYTES = 4 * 1024 ** 2;
/** Indexes, which name a manifest for each platform: a pin to one of these would hold on one platform only. */
const INDEX_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];

interface ImageReference {
  /** As written, without a digest: `redis:7.4.7`. */
  readonly name: string;
  /** `sha256:...`, if it has one. */
  readonly digest: string | undefined;
}

/** The images of other projects that a Dockerfile or a compose file names; ours is built, and has no digest yet. */
export function imagesIn(text: string): ImageReference[] {
  const found = text.matchAll(/^(?:FROM|\s+image:) ([\w./:-]+:[\w.-]+)(?:@(sha256:[0-9a-f]{64}))?/gm);
  return [...found]
    .map(([, name = '', digest]) => ({ name, digest }))
    .filter(({ name }) => !name.startsWith('unbroken:'));
}

/** @param digests by the name of the image. */
export function pinImages(text: string, digests: ReadonlyMap<string, string>): string {
  return text.replaceAll(
    /^((?:FROM|\s+image:) )([\w./:-]+:[\w.-]+)(?:@sha256:[0-9a-f]{64})?/gm,
    (whole, keyword: string, name: string) => {
      const digest = digests.get(name);
      return digest === undefined ? whole : `${keyword}${name}@${digest}`;
    },
  );
}

/** Asks the registry for the index of the image, and computes its digest from the bytes of the answer. */
export async function fetchDigest(name: string): Promise<string> {
  const { url, repository } = manifestOf(name);
  const first = await request(url, {});
  const challenge = first.headers.get('www-authenticate');
  const answer =
    first.status === 401 && challenge !== null
      ? await request(url, { authorization: `Bearer ${await fetchToken(challenge, repository)}` })
      : first;
  if (!answer.ok) throw new Error(`${name}: the registry answers ${answer.status} to ${url.href}`);
  const type = answer.headers.get('content-type') ?? '';
  if (!INDEX_TYPES.includes(type))
    throw new Error(`${name}: the registry has no index of platforms, but ${type}`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (bytes.length > MOST_MANIFEST_BYTES) throw new Error(`${name}: an index of ${bytes.length} bytes`);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const claimed = answer.headers.get('docker-content-digest');
  if (claimed !== null && claimed !== digest)
    throw new Error(`${name}: the registry names ${claimed}, and its bytes are ${digest}`);
  return digest;
}

/** As Docker reads a name: without a host it is Docker Hub's, and without an owner it is an official image. */
function manifestOf(name: string): { url: URL; repository: string } {
  const at = name.lastIndexOf(':');
  const parts = name.slice(0, at).split('/');
  const hasHost = parts.length > 1 && /[.:]|^localhost$/.test(parts[0] ?? '');
  const host = hasHost ? (parts.shift() ?? '') : DOCKER_HUB;
  const repository = !hasHost && parts.length === 1 ? `library/${parts[0]}` : parts.join('/');
  const scheme = /^(?:localhost|127\.0\.0\.1)(?::|$)/.test(host) ? 'http' : 'https';
  return { url: new URL(`${scheme}://${host}/v2/${repository}/manifests/${name.slice(at + 1)}`), repository };
}

function request(url: URL, headers: Readonly<Record<string, string>>): Promise<Response> {
  const accept = INDEX_TYPES.join(', ');
  return fetch(url, { headers: { ...headers, accept }, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
}

/** @param challenge such as `Bearer realm="https://auth.docker.io/token",service="registry.docker.io"`. */
async function fetchToken(challenge: string, repository: string): Promise<string> {
  const fields = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
  );
  const { realm = '', service = '', scope = `repository:${repository}:pull` } = fields;
  const url = new URL(realm);
  for (const [key, value] of Object.entries({ service, scope })) url.searchParams.set(key, value);
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  if (!response.ok) throw new Error(`no token from ${url.origin}: ${response.status}`);
  return z.object({ token: z.string() }).parse(await response.json()).token;
}

async function main(isCheck: boolean): Promise<void> {
  const texts = FILES.map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') }));
  const images = texts.flatMap(({ text }) => imagesIn(text));
  const digests = new Map<string, string>();
  for (const { name } of images) if (!digests.has(name)) digests.set(name, await fetchDigest(name));
  for (const { name, digest } of images) {
    const current = digests.get(name);
    const state = digest === undefined ? 'not pinned' : digest === current ? 'pinned' : `pinned to ${digest}`;
    console.log(`${name}: ${current} (${state})`);
    if (isCheck && digest !== current) process.exitCode = 1;
  }
  if (isCheck) return;
  for (const { file, text } of texts) writeFileSync(join(ROOT, file), pinImages(text, digests));
}

if (import.meta.main) {
  try {
    await main(process.argv.includes('--check'));
  } catch (error) {
    console.error(`The digests are unknown: ${reasonOf(error)}. Nothing was changed.`);
    process.exitCode = 1;
  }
}
