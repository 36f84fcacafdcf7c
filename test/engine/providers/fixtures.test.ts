/** Recorded answers of every vendor, read by its own SDK over HTTP, however the network cuts them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { endingOf } from '../../../contracts/ending.ts';
import type { Usage } from '../../../contracts/money.ts';
import type { Provider, ProviderEvent } from '../../../engine/providers/provider.ts';
import { adapterFor, KEY, simulatedConfig } from './adapter-for.ts';
import { errorPage, PAGE } from './error-page.ts';
import { type FixtureServer, readFixture, startFixtureServer } from './fixture-server.ts';
import type { Answer, Failure, Parts, Wire } from './fixtures/expectation.ts';
import { EXPECTED } from './fixtures/expected.ts';
import { callOf, errorOf, finishOf, type Heard, hear } from './hear.ts';

const WIRES = Object.keys(EXPECTED) as Wire[];
const cases = WIRES.flatMap((wire) =>
  Object.entries(EXPECTED[wire]).map(([name, expected]) => [wire, name, expected] as const),
);
/** One of each shape of event: bytes that come one by one take their time. */
const SHAPES =
  /^(plain|tools|reasoning|thinking|citations|messages|server-tool|refusal|in-band-error|malformed)(-\w+)?$/;
const streams = cases.filter(([, name]) => SHAPES.test(name));
let server: FixtureServer;
const adapters = new Map<Wire, Provider>();

beforeAll(async () => {
  server = await startFixtureServer();
  for (const wire of WIRES) adapters.set(wire, adapterFor(wire, simulatedConfig(wire, server.url)));
});
afterAll(() => server.stop());

function listen(wire: Wire): Promise<Heard> {
  const provider = adapters.get(wire);
  if (provider === undefined) throw new Error(wire);
  // Of the fixtures' own tools: what was asked for does not matter to what is read.
  return hear(provider, callOf({}));
}

function partsOf({
  inputTokens,
  cachedInputTokens,
  cacheWriteTokens,
  outputTokens,
  reasoningTokens,
}: Usage): Parts {
  return [inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens];
}

function lastUsage({ events }: Heard): Usage | null {
  const lastReport = events.findLast(({ type }) => type === 'usage');
  return lastReport?.type === 'usage' ? lastReport.usage : null;
}

const COMMON: ReadonlySet<ProviderEvent['type']> = new Set([
  'accepted',
  'text',
  'reasoning',
  'reasoning-data',
  'tool-call',
  'usage',
  'finish',
]);

function check(heard: Heard, expected: Answer | Failure): void {
  expect(heard.text).toBe(expected.text ?? '');
  if ('code' in expected) {
    expect(errorOf(heard)).toMatchObject({ code: expected.code });
    expect(errorOf(heard)?.retryAfterMs).toBe(expected.retryAfterMs);
    expect(errorOf(heard)?.refusal?.concerns ?? 'request').toBe(expected.concerns ?? 'request');
    expect(errorOf(heard)?.message).toContain(expected.words ?? '');
    expect(finishOf(heard)).toBeUndefined();
    expect(JSON.stringify([String(heard.error), heard.error])).not.toContain(KEY);
    if (expected.usage !== undefined) {
      const usage = lastUsage(heard);
      expect(usage === null ? null : partsOf(usage)).toEqual(expected.usage);
      expect(usage?.estimated).toBe(false);
    }
    return;
  }
  expect(heard.error).toBeUndefined();
  expect(heard.reasoning).toBe(expected.reasoning ?? '');
  const calls = heard.calls.map(({ name, id, arguments: written }) => [name, id, JSON.parse(written)]);
  expect(calls).toEqual(
    (expected.calls ?? []).map(([name, id, written]) => [
      name,
      typeof id === 'string' ? id : expect.stringMatching(id),
      written,
    ]),
  );
  const finish = finishOf(heard);
  expect(finish?.reason).toBe(expected.reason);
  expect(finish === undefined ? undefined : endingOf(finish)).toEqual(expected.ending ?? {});
  const others = heard.events.map(({ type }) => type).filter((type) => !COMMON.has(type));
  expect(others).toEqual(expected.others ?? []);
  expect(finish?.usage === null || finish === undefined ? null : partsOf(finish.usage)).toEqual(
    expected.usage,
  );
}

/** Places beside an end of a line, and inside a character of several bytes. */
function delicatePlaces(body: Buffer): number[] {
  const isDelicate = (byte: number | undefined) =>
    byte !== undefined && (byte === 10 || byte === 13 || byte > 127);
  return [...body.keys()]
    .slice(1)
    .filter((at) => [at - 1, at, at + 1].some((near) => isDelicate(body[near])));
}

describe('a recorded answer', () => {
  test.each(cases)('%s %s is read as it is', async (wire, name, expected) => {
    server.play(readFixture(wire, name));
    check(await listen(wire), expected);
  });

  test.each(streams)('%s %s is the same when every byte comes alone', async (wire, name, expected) => {
    server.play(readFixture(wire, name), 'bytes');
    check(await listen(wire), expected);
  });

  test.each(WIRES)(
    '%s is the same where it is cut in two at an end of a line or inside a character',
    async (wire) => {
      const fixture = readFixture(wire, 'plain');
      const { text, reason, usage } = EXPECTED[wire]['plain'] as Answer;
      for (const splitAt of delicatePlaces(fixture.body)) {
        server.play(fixture, { splitAt });
        const heard = await listen(wire);
        const finish = finishOf(heard);
        expect([splitAt, heard.text, finish?.reason]).toEqual([splitAt, text, reason]);
        expect(finish?.usage == null ? null : partsOf(finish.usage)).toEqual(usage);
      }
    },
  );

  test('there is an expectation for every recording, and a recording for every expectation', () => {
    for (const wire of WIRES) {
      const files = readdirSync(join(import.meta.dirname, 'fixtures', wire)).map((file) =>
        file.replace('.http', ''),
      );
      expect(files.sort()).toEqual(Object.keys(EXPECTED[wire]).sort());
    }
  });
});

test('docs/provider-errors.md is made from these', () => {
  // The formatter lines up the columns of tables.
  const words = (page: string) => page.replaceAll(/ +/g, ' ').replaceAll(/-{3,}/g, '---').trim();
  expect(words(readFileSync(PAGE, 'utf8'))).toBe(words(errorPage()));
});
