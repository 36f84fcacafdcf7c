/** A TCP proxy that breaks one connection, once: the next one whose request contains a text. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { breakOff } from '../../harness/tcp-proxy.ts';

const WAITS_MS = 250;

export interface BreakingWire {
  readonly url: string;
  /** @param when a while after the request has passed, or once so many bytes of the answer have. */
  breakOnce(requestText: string, when: 'while-it-waits' | { readonly afterBytes: number }): void;
  /** How many connections it has broken. */
  broken(): number;
  close(): void;
}

interface Order {
  readonly text: string;
  readonly when: 'while-it-waits' | { readonly afterBytes: number };
}

export async function startBreakingWire(targetPort: number): Promise<BreakingWire> {
  const open = new Set<Socket>();
  let order: Order | null = null;
  let broken = 0;
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1');
    let requestSoFar = '';
    let meant: Order | null = null;
    let passed = 0;
    const reset = () => {
      breakOff(near);
      breakOff(far);
    };
    const breakNow = () => {
      broken += 1;
      reset();
    };
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('error', reset).once('close', () => open.delete(socket));
    }
    near.on('data', (chunk) => {
      if (order !== null) requestSoFar += chunk.toString('latin1');
      if (order !== null && requestSoFar.includes(order.text)) {
        [meant, order] = [order, null];
        if (meant.when === 'while-it-waits') setTimeout(breakNow, WAITS_MS);
      }
      far.write(chunk);
    });
    far.on('data', (chunk) => {
      near.write(chunk);
      if (meant === null || typeof meant.when === 'string') return;
      passed += chunk.length;
      if (passed < meant.when.afterBytes) return;
      meant = null;
      breakNow();
    });
    near.once('end', () => far.end());
    far.once('end', () => near.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    breakOnce: (text, when) => {
      order = { text, when };
    },
    broken: () => broken,
    close: () => {
      server.close();
      for (const socket of open) breakOff(socket);
    },
  };
}
