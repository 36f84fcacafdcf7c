import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isTerminal, textOf } from '../../contracts/fold-events.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { encodeFrame, openRawWebSocket, type RawFrame } from '../fuzz/raw-websocket.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { deltasOf } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { openStreamSocket } from '../harness/stream-socket.ts';
import { waitFor } from '../harness/wait-for.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack?.stop());

test('one socket follows two generations, and each gives its own text whole', async () => {
  const inputs = [promptOf({ tokens: 120, delayMs: 3 }), promptOf({ tokens: 80, delayMs: 5 })];
  const socket = await openStreamSocket(stack.api);
  const ids: string[] = [];
  for (const input of inputs) {
    const body = await stack.api.submit({ input, cache: 'off' });
    ids.push(body.id);
    socket.send({ type: 'subscribe', generationId: body.id });
  }
  for (const [index, id] of ids.entries()) {
    await waitFor(`the end of generation ${index}`, () => socket.events(id).some(isTerminal));
    expect(faultsOf(socket.events(id))).toEqual([]);
    expect(textOf(socket.events(id))).toBe((await stack.sim.text(inputs[index] ?? '')).text);
  }
  await socket.close();
});

test('a new socket continues after the last seq that the old one had', async () => {
  const input = promptOf({ tokens: 200, delayMs: 5 });
  const body = await stack.api.submit({ input, cache: 'off' });
  const first = await openStreamSocket(stack.api);
  first.send({ type: 'subscribe', generationId: body.id });
  await waitFor('20 deltas', () => deltasOf(first.events(body.id)) >= 20);
  const before = first.events(body.id);
  await first.close();
  const second = await openStreamSocket(stack.api);
  second.send({ type: 'subscribe', generationId: body.id, after: before.at(-1)?.seq ?? -1 });
  await waitFor('the end', () => second.events(body.id).some(isTerminal));
  const joined = [...before, ...second.events(body.id)];
  await second.close();
  expect(faultsOf(joined)).toEqual([]);
  expect(textOf(joined)).toBe((await stack.sim.text(input)).text);
});

test('a subscription that is taken back and made again, frame upon frame, begins where the new one says', async () => {
  const input = promptOf({ tokens: 60, delayMs: 3 });
  const body = await stack.api.submit({ input, cache: 'off' });
  const socket = await openStreamSocket(stack.api);
  for (let again = 0; again < 5; again += 1) {
    socket.send({ type: 'subscribe', generationId: body.id });
    socket.send({ type: 'unsubscribe', generationId: body.id });
  }
  socket.send({ type: 'subscribe', generationId: body.id });
  await waitFor('the end', () => socket.events(body.id).some(isTerminal));
  expect(socket.frames.filter(({ type }) => type === 'error')).toEqual([]);
  const types = socket.frames.map(({ type }) => type);
  const last = socket.frames.slice(types.lastIndexOf('subscribed'));
  const events = last.flatMap((frame) => (frame.type === 'event' ? [frame.event] : []));
  expect(faultsOf(events)).toEqual([]);
  expect(textOf(events)).toBe((await stack.sim.text(input)).text);
  expect(types.filter((type) => type === 'unsubscribed').length).toBeGreaterThanOrEqual(5);
  await socket.close();
});

test('an unknown generation is an error frame, and the socket stays usable', async () => {
  const socket = await openStreamSocket(stack.api);
  socket.send({ type: 'subscribe', generationId: 'gen_unknown' });
  await waitFor('an error frame', () => socket.frames.some((frame) => frame.type === 'error'));
  socket.send({ type: 'ping' });
  await waitFor('a pong', () => socket.frames.some((frame) => frame.type === 'pong'));
  expect(socket.frames.find((frame) => frame.type === 'error')).toMatchObject({
    generationId: 'gen_unknown',
    error: { code: 'not_found' },
  });
  await socket.close();
});

describe('a client that breaks the WebSocket protocol is closed with the code that says why', () => {
  const frame: RawFrame = { fin: true, reserved: 0, opcode: 1, isMasked: true, payload: Buffer.from('{}') };
  test.each<[number, string, RawFrame]>([
    [
      1009,
      'a frame over the limit',
      { ...frame, payload: Buffer.alloc(LIMITS.webSocketFrameBytes + 1, 120) },
    ],
    [1007, 'text that is not UTF-8', { ...frame, payload: Buffer.from([0xff, 0xfe]) }],
    [1002, 'a frame without a mask', { ...frame, isMasked: false }],
    [1002, 'an opcode that there is not', { ...frame, opcode: 5 }],
    [1002, 'a ping that is too long', { ...frame, opcode: 9, payload: Buffer.alloc(126) }],
  ])('%d: %s', async (code, _what, broken) => {
    const socket = await openRawWebSocket(stack.api.url, '/v1/stream', stack.api.key);
    socket.write(encodeFrame(broken));
    await waitFor('the end', () => socket.isClosed());
    const close = socket.frames.find(({ opcode }) => opcode === 8);
    expect(close?.payload.readUInt16BE(0)).toBe(code);
  });
});
