/** Bugs of the streams to readers. */
import type { Mutant } from '../mutant.ts';

const EVENT_CONNECTION = 'test/api/relay/event-connection.test.ts';

export const RELAY_MUTANTS: readonly Mutant[] = [
  {
    name: 'empty-frame-ends-the-stream',
    breaks: 'An event that a format does not show ends the response of its reader.',
    file: 'api/relay/sse.ts',
    find: 'if (chunk.plain.length === 0 || response.destroyed',
    replace: 'if (response.destroyed',
    caughtBy: { tests: ['test/api/relay/sse.test.ts'] },
  },
  {
    name: 'open-stream-taken-for-idle',
    breaks: 'A stream whose model thinks for longer than an idle connection is kept is cut.',
    file: 'api/relay/event-connection.ts',
    find: 'if (isStreaming(socket)) socket.setTimeout(0);',
    replace: '',
    caughtBy: { tests: [EVENT_CONNECTION] },
  },
  {
    name: 'stream-ends-with-its-head',
    breaks: 'A client that wants its connection closed gets the head of a stream alone.',
    file: 'api/relay/event-connection.ts',
    find: 'return response.chunkedEncoding && isKept;',
    replace: 'return response.chunkedEncoding;',
    caughtBy: { tests: [EVENT_CONNECTION] },
  },
  {
    name: 'next-request-refused',
    breaks: 'A request that follows the end of a stream at once finds its connection closed.',
    file: 'api/relay/event-connection.ts',
    find: '    endStream(this.#socket);\n',
    replace: '',
    caughtBy: { tests: [EVENT_CONNECTION] },
  },
  {
    name: 'answer-within-a-stream',
    breaks: 'A request that is sent during a stream is answered within it.',
    file: 'api/http/http-server.ts',
    find: 'if (isStreaming(request.socket)) request.socket.destroy();',
    replace: 'if (server.maxConnections === -1) request.socket.destroy();',
    caughtBy: { tests: [EVENT_CONNECTION] },
  },
  {
    name: 'refusal-within-a-stream',
    breaks: 'Broken bytes that are sent during a stream are answered within it.',
    file: 'api/http/http-server.ts',
    find: ' || isStreaming(socket)) {',
    replace: ') {',
    caughtBy: { tests: [EVENT_CONNECTION] },
  },
  {
    name: 'stream-counts-no-longer',
    breaks: 'Open streams do not count for the limit of their key, and outlive it.',
    file: 'api/relay/event-connection.ts',
    find: "    response.removeAllListeners('close');\n",
    replace: '',
    caughtBy: { tests: [EVENT_CONNECTION] },
  },
  {
    name: 'shutdown-cuts-streams',
    breaks: 'A process that leaves cuts its streams in place of ending them.',
    file: 'api/main.ts',
    find: '    await allGivenBack();\n',
    replace: '',
    caughtBy: { tests: ['test/e2e/rolling-restart.test.ts'] },
  },
];
