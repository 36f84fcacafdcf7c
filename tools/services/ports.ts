/** Ports on the loopback interface; everything that is started here binds to it. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { type Report, ServiceError } from './programs/service-error.js';

export const LOOPBACK = '127.0.0.1';
const FREE_PORT_ATTEMPTS = 200;
/**
 * Below the ports that systems give to outgoing connections (Linux from 32768, macOS and Windows from 49152): one of
 * those could take the port between the moment it is found free and the moment its service listens on it.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_700;

/** Ports that this process has handed out: two services that start at once must not get the same one. */
const handedOut = new Set<number>();

/** Another process listens on the port. */
export class PortInUseError extends ServiceError {
  readonly port: number;

  constructor(name: string, port: number, fix: string) {
    super(`${name} cannot listen on 127.0.0.1:${port}: the port is in use by another process.`, fix);
    this.port = port;
  }
}

export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else if (error.code === 'EACCES') {
        reject(new ServiceError(`No right to listen on port ${port}.`, 'Choose a port above 1023.'));
      } else reject(error);
    });
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < FREE_PORT_ATTEMPTS; attempt++) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if (handedOut.has(port) || !(await isPortFree(port))) continue;
    handedOut.add(port);
    return port;
  }
  throw new ServiceError('No free port was found on 127.0.0.1.', 'End processes that hold many ports.');
}

/** Throws PortInUseError when another process listens on `port`. */
export async function assertPortFree(name: string, port: number, fix: string): Promise<void> {
  if (!(await isPortFree(port))) throw new PortInUseError(name, port, fix);
}

/** The usual port when it is free, else any free one, which is then reported. */
export async function preferPort(name: string, usual: number, report: Report): Promise<number> {
  if (!handedOut.has(usual) && (await isPortFree(usual))) {
    handedOut.add(usual);
    return usual;
  }
  const port = await findFreePort();
  report(`${name}: port ${usual} is in use, so it listens on ${port}`);
  return port;
}
