/** A plain HTTP proxy that counts what passes it, and can refuse to pass anything: an origin that is out of reach. */
import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CountingProxy {
  readonly url: string;
  /** Paths of the requests that passed, oldest first. */
  readonly passed: readonly string[];
  /** Responses under way whose path matches. */
  open(path: RegExp): number;
  /** Ends every connection, and refuses new ones until `restore`. */
  block(): void;
  restore(): void;
  stop(): Promise<void>;
}

export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const passed: string[] = [];
  const under = new Map<ServerResponse, string>();
  let isBlocked = false;
  const server = createServer((request, response) => {
    if (isBlocked) {
      response.destroy();
      return;
    }
    const path = request.url ?? '';
    passed.push(path);
    under.set(response, path);
    response.once('close', () => under.delete(response));
    pass(target, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    passed,
    open: (path) => [...under.values()].filter((target) => path.test(target)).length,
    block: () => {
      isBlocked = true;
      server.closeAllConnections();
    },
    restore: () => {
      isBlocked = false;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function pass(target: string, request: IncomingMessage, response: ServerResponse): void {
  const { method, headers } = request;
  const passedOn = send(`${target}${request.url}`, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.on('error', () => response.destroy());
    answer.pipe(response);
  });
  // The origin is gone: the client sees what it would see without this proxy.
  passedOn.on('error', () => response.destroy());
  response.on('close', () => passedOn.destroy());
  request.pipe(passedOn);
}
