/** Stands before a Temporal and refuses one method, as a server does whose key lacks the right; all else passes. */
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';

/** As gRPC numbers it. */
const PERMISSION_DENIED = 7;

interface RefusingTemporal {
  readonly address: string;
  stop(): void;
}

/** @param method such as `DeleteWorkflowExecution`. */
export async function refuseAtTemporal(address: string, method: string): Promise<RefusingTemporal> {
  const temporal = connect(`http://${address}`);
  const server = createServer();
  server.on('session', (session) => session.on('error', () => undefined));
  server.on('stream', (stream, headers) => {
    if (String(headers[':path']).endsWith(`/${method}`)) refuse(stream);
    else pass(temporal, stream, headers);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  return {
    address: `127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}`,
    stop: () => {
      server.close();
      temporal.destroy();
    },
  };
}

function refuse(stream: ServerHttp2Stream): void {
  stream.resume();
  const status = { 'grpc-status': PERMISSION_DENIED, 'grpc-message': 'Request unauthorized.' };
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...status }, { endStream: true });
}

function pass(temporal: ClientHttp2Session, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  const call = temporal.request(headers);
  let trailers: IncomingHttpHeaders = {};
  call.once('trailers', (received) => {
    trailers = received;
  });
  call.once('response', (answer, flags) => {
    const isOver = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    stream.respond(answer, isOver ? { endStream: true } : { waitForTrailers: true });
    if (!isOver) call.pipe(stream);
  });
  stream.once('wantTrailers', () => stream.sendTrailers(trailers));
  for (const [failing, other] of [
    [stream, call],
    [call, stream],
  ] as const) {
    failing.on('error', () => other.close());
  }
  stream.pipe(call);
}
