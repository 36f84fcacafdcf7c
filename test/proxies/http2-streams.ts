/** SSE over HTTP/2: any number of streams on one connection, each event with the time at which it came. */
import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { createParser } from 'eventsource-parser';
import type { GenerationEvent } from '../../contracts/events.ts';
import type { Front } from './front.ts';

export interface Received {
  readonly event: GenerationEvent;
  /** ms since 1970. */
  readonly receivedAt: number;
}

interface Http2Connection {
  readonly session: ClientHttp2Session;
  /** Opens one stream and reads it to its end, however it ends. */
  read(id: string): Promise<Received[]>;
  close(): Promise<void>;
}

export async function openHttp2(front: Front, key: string): Promise<Http2Connection> {
  const session = connect(front.url, { ca: front.ca });
  await once(session, 'remoteSettings');
  return {
    session,
    async read(id) {
      const stream = session.request({
        ':path': `/v1/generations/${id}/events`,
        authorization: `Bearer ${key}`,
      });
      const received: Received[] = [];
      const parser = createParser({
        onEvent: ({ data }) =>
          received.push({ event: JSON.parse(data) as GenerationEvent, receivedAt: Date.now() }),
      });
      stream.setEncoding('utf8');
      const [headers] = await once(stream, 'response');
      if (headers[':status'] !== 200) throw new Error(`status ${headers[':status']}`);
      // A stream that is cut has no more events; what it had is what counts.
      await new Promise<void>((resolve) => {
        stream.on('data', (text: string) => parser.feed(text));
        stream.once('error', () => resolve());
        stream.once('close', () => resolve());
      });
      return received;
    },
    async close() {
      const closed = once(session, 'close');
      session.destroy();
      await closed;
    },
  };
}
