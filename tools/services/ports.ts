/** Ports on the loopback interface; everything that we start is bound to it. */
import { createServer } from 'node:net';
import { PortInUseError, type Report, ServiceError } from './service-error.ts';

export const LOOPBACK = '127.0.0.1';
const FREE_PORT_ATTEMPTS = 20;

/** Ports that this process has given out: two services that start at once must not be given the same one. */
const given = new Set<number>();

export async function isPortFree(port: number): Promise<boolean> {
  return (await listenOnce(port)) !== undefined;
}

export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < FREE_PORT_ATTEMPTS; attempt++) {
    const port = await listenOnce(0);
    if (port === undefined || given.has(port)) continue;
    given.add(port);
    return port;
  }
  throw new ServiceError('No free port was found on 127.0.0.1.', 'End processes that hold many ports.');
}

/** Throws PortInUseError when another process listens on `port`. */
export async function assertPortFree(name: string, port: number, fix: string): Promise<void> {
  if (!(await isPortFree(port))) throw new PortInUseError(name, port, fix);
}

/** The usual port when it is free, else any free one, which is then said. */
export async function preferPort(name: string, usual: number, report: Report): Promise<number> {
  if (!given.has(usual) && (await isPortFree(usual))) {
    given.add(usual);
    return usual;
  }
  const port = await findFreePort();
  report(`${name}: port ${usual} is in use, so it listens on ${port}`);
  return port;
}

function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else if (error.code === 'EACCES') {
        reject(new ServiceError(`No right to listen on port ${port}.`, 'Choose a port above 1023.'));
      } else reject(error);
    });
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => resolve(bound));
    });
  });
}
