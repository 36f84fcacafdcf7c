import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { LIMITS } from '../../../contracts/limits.ts';
import { DirectBody } from '../../../engine/providers/direct-body.ts';
import { createLink } from '../../../engine/providers/http-link.ts';

const bytes = (text: string) => Buffer.from(text);

function connected() {
  const calls: string[] = [];
  const body = new DirectBody({
    pause: () => void calls.push('pause'),
    resume: () => void calls.push('resume'),
  });
  return { body, calls, reader: body[Symbol.asyncIterator]() };
}

describe('a direct body', () => {
  test('gives all that has arrived since the last read at once, and then waits', async () => {
    const { body, reader } = connected();
    body.push(bytes('a'));
    body.push(bytes('b'));
    expect(String((await reader.next()).value)).toBe('ab');
    const later = reader.next();
    body.push(bytes('c'));
    expect(String((await later).value)).toBe('c');
    body.push(bytes('d'));
    body.end(null);
    expect(String((await reader.next()).value)).toBe('d');
    expect(await reader.next()).toEqual({ done: true, value: undefined });
  });

  test('gives what came before the connection broke, and then the error', async () => {
    const { body, reader } = connected();
    body.push(bytes('a'));
    body.end(new Error('reset'));
    expect(String((await reader.next()).value)).toBe('a');
    await expect(reader.next()).rejects.toThrow('reset');
  });

  test('stops the connection while its reader is far behind', async () => {
    const { body, calls, reader } = connected();
    for (let packet = 0; packet < 3; packet += 1) body.push(Buffer.alloc(LIMITS.providerBufferBytes));
    expect(calls).toEqual(['pause']);
    await reader.next();
    expect(calls).toEqual(['pause', 'resume']);
  });
});

describe('the body of an answer', () => {
  async function answerOf(listener: RequestListener) {
    const server = createServer(listener);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const settings = { apiKey: 'k', connectMs: 1_000, takesStreams: true };
    const link = createLink({}, settings, new AbortController().signal);
    try {
      const answer = await link.fetch(`http://127.0.0.1:${address.port}/`, {});
      let text = '';
      for await (const some of link.bodyOf(answer)) text += Buffer.from(some);
      return text;
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  test.each([
    ['of a stream', 'text/event-stream; charset=utf-8'],
    ['of another type', 'application/octet-stream'],
  ])('%s is whole, in whatever pieces it arrives', async (_name, type) => {
    const text = await answerOf((_request, response) => {
      response.writeHead(200, { 'content-type': type });
      response.write('data: a\n');
      setImmediate(() => response.end('\ndata: b\n\n'));
    });
    expect(text).toBe('data: a\n\ndata: b\n\n');
  });

  test('that breaks off fails its reader', async () => {
    const reading = answerOf((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: a\n\n', () => response.destroy());
    });
    await expect(reading).rejects.toThrow();
  });
});
