import { expect, test } from '@jest/globals';
import { readText } from '../../contracts/read-text.ts';

test('an endless body is read up to the limit, and cancelled', async () => {
  let sent = 0;
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 1;
      controller.enqueue(Buffer.alloc(1_000, 'x'));
    },
    cancel() {
      isCancelled = true;
    },
  });
  expect(await readText(new Response(body), 2_500)).toBe('x'.repeat(2_500));
  expect(sent).toBeLessThan(10);
  expect(isCancelled).toBe(true);
});

test('a body below the limit is read whole, and characters may be split between its chunks', async () => {
  const bytes = Buffer.from('größer €');
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  expect(await readText(new Response(body), 100)).toBe('größer €');
  expect(await readText(new Response(null), 100)).toBe('');
});
