import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { EventBody } from '../../contracts/events.ts';
import { connectScript, endWith, type Script, START } from '../harness/script.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { pause, waitFor } from '../harness/wait-for.ts';

const QUICK_READERS = 200;
const TOKENS = 100;
const TOKEN_EVERY_MS = 25;
const SLOW_BYTES_PER_SECOND = 1_024;
/** More than the kernel takes for a client that reads almost nothing. */
const SLOW_PIECES = 1_500;
const SLOW_PIECE_CHARS = 8_000;
const FLAT_KIB = 64 * 1_024;

let stack: Stack;
let script: Script;
beforeAll(async () => {
  stack = await startStack({ workers: 0 });
  script = await connectScript(stack);
});
afterAll(async () => {
  script?.close();
  await stack?.stop();
});

async function begin(): Promise<string> {
  const key = randomUUID();
  await stack.api.create({ input: 'Tell me.', cache: 'off' }, key);
  return script.generationId(key);
}

async function openEvents(id: string): Promise<Socket> {
  const socket = connect({ port: Number(new URL(stack.api.url).port), host: '127.0.0.1', noDelay: true });
  const head = `Host: test\r\nAuthorization: Bearer ${stack.api.key}`;
  socket.write(`GET /v1/generations/${id}/events HTTP/1.1\r\n${head}\r\n\r\n`);
  await once(socket, 'readable');
  return socket;
}

const nowMs = () => performance.timeOrigin + performance.now();

/** How old a token is at its reader, for all readers of a fresh generation, in the middle. */
async function medianAgeMs(): Promise<number> {
  const id = await begin();
  const ages: number[] = [];
  let ended = 0;
  const sockets = await Promise.all(Array.from({ length: QUICK_READERS }, () => openEvents(id)));
  for (const socket of sockets) {
    let unfinished = '';
    socket.setEncoding('utf8');
    socket.on('data', (bytes: string) => {
      const arrivedAtMs = nowMs();
      const text = unfinished + bytes;
      unfinished = text.slice(text.lastIndexOf('\n') + 1);
      const lines = text.slice(0, text.length - unfinished.length);
      for (const [, writtenAtMs] of lines.matchAll(/<([\d.]+)>/g))
        ages.push(arrivedAtMs - Number(writtenAtMs));
      if (lines.includes('event: generation-end')) ended += 1;
    });
  }
  for (let token = 0; token < TOKENS; token += 1) {
    await script.playOn(id, [{ type: 'text-delta', text: `<${nowMs().toFixed(3)}>` }]);
    await pause(TOKEN_EVERY_MS);
  }
  await script.playOn(id, [endWith()]);
  await waitFor('the end at every quick reader', () => ended === QUICK_READERS);
  for (const socket of sockets) socket.destroy();
  expect(ages).toHaveLength(QUICK_READERS * TOKENS);
  return ages.toSorted((a, b) => a - b)[Math.floor(ages.length / 2)] ?? Number.NaN;
}

function residentKiB(): number {
  const pid = String(stack.apis[0]?.pid());
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', pid], { encoding: 'utf8' }));
}

test('one reader at 1 KiB/s beside 200 quick ones: none of them is slower, and memory stays flat', async () => {
  const slowId = await begin();
  const delta: EventBody = { type: 'text-delta', text: 'x'.repeat(SLOW_PIECE_CHARS) };
  await script.playOn(slowId, [START, ...Array.from({ length: SLOW_PIECES }, () => delta), endWith()]);
  // What is measured first warms the process up.
  await medianAgeMs();
  const alone = await medianAgeMs();
  const beforeKiB = residentKiB();
  const slow = await openEvents(slowId);
  let slowBytes = 0;
  const sip = setInterval(() => {
    slowBytes += slow.read(SLOW_BYTES_PER_SECOND)?.length ?? 0;
  }, 1_000);
  const beside = await medianAgeMs();
  const besideAgain = await medianAgeMs();
  const afterKiB = residentKiB();
  clearInterval(sip);
  slow.destroy();
  const aloneAgain = await medianAgeMs();
  console.info(
    `median age of a token: ${alone.toFixed(1)} and ${aloneAgain.toFixed(1)} ms alone, ${beside.toFixed(1)} and ` +
      `${besideAgain.toFixed(1)} ms beside; memory ${beforeKiB} to ${afterKiB} KiB`,
  );
  expect(slowBytes).toBeGreaterThan(0);
  expect(slowBytes).toBeLessThan(SLOW_PIECES * SLOW_PIECE_CHARS);
  // Other work of the machine moves both figures; a reader that held others up would add seconds.
  expect(Math.min(beside, besideAgain)).toBeLessThan(3 * Math.max(alone, aloneAgain) + 20);
  expect(afterKiB - beforeKiB).toBeLessThan(FLAT_KIB);
});
