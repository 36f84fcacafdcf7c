/** Recorded answers in which one event comes thousands of times: what each costs must not grow with those before. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { WireFamily } from '../../../platform/config/schema.ts';
import { cpuMsSince } from '../../harness/growth.ts';
import { adapterFor, simulatedConfig } from './adapter-for.ts';
import { type Fixture, type FixtureServer, readFixture, startFixtureServer } from './fixture-server.ts';
import { callOf, hear } from './hear.ts';

const ANSWERS: readonly (readonly [WireFamily, readonly string[]])[] = [
  ['openai-responses', ['tools', 'reasoning']],
  ['openai-chat', ['tools', 'reasoning-deepseek', 'citations', 'refusal']],
  ['anthropic-messages', ['tools', 'thinking', 'server-tool']],
  ['google', ['tools', 'thinking']],
  ['cohere', ['tools', 'thinking', 'citations']],
];
const TIMES = 8_000;
/** CPU time of so many events at which nothing can grow that matters. */
const LITTLE_MS = 800;
/** Twice as many events take twice the time; the square would be four times. */
const MOST_GROWTH = 3;
const MOST_MEASUREMENTS = 4;

let server: FixtureServer;
beforeAll(async () => {
  server = await startFixtureServer();
});
afterAll(() => server.stop());

/** Those of its events of which the wire has no other with the same fields, whatever is in them. */
function chosenOf(events: readonly string[], known: Set<string>): readonly number[] {
  return [...events.keys()].filter((index) => {
    const event = events[index] ?? '';
    const form = event.replace(/"(?:[^"\\]|\\.)*"(?!\s*:)/g, '').replace(/\d+/g, '');
    const isNew = event.includes('{') && !known.has(form);
    known.add(form);
    return isNew;
  });
}

test.each(ANSWERS)('an answer of %s takes time in proportion to its events', async (wire, names) => {
  const provider = adapterFor(wire, simulatedConfig(wire, server.url));
  const cpuMs = async (fixture: Fixture, events: readonly string[], index: number, times: number) => {
    const repeated = Array.from({ length: times - 1 }, () => events[index] ?? '');
    const body = Buffer.from(events.toSpliced(index, 0, ...repeated).join('\n\n'));
    server.play({ ...fixture, body });
    const begunAt = process.cpuUsage();
    await hear(provider, callOf({}));
    return cpuMsSince(begunAt);
  };
  const known = new Set<string>();
  const grown: string[] = [];
  for (const name of names) {
    const fixture = readFixture(wire, name);
    const events = fixture.body.toString('utf8').split(/\r?\n\r?\n/);
    for (const index of chosenOf(events, known)) {
      if ((await cpuMs(fixture, events, index, TIMES)) < LITTLE_MS) continue;
      let growth = Number.POSITIVE_INFINITY;
      for (let turn = 0; turn < MOST_MEASUREMENTS && growth > MOST_GROWTH; turn += 1) {
        const half = await cpuMs(fixture, events, index, TIMES / 2);
        growth = Math.min(growth, (await cpuMs(fixture, events, index, TIMES)) / half);
      }
      if (growth > MOST_GROWTH) grown.push(`${name}, ${growth.toFixed(1)} times: ${events[index]}`);
    }
  }
  expect(grown).toEqual([]);
});
