/**
 * A wire between two processes that can be cut: a TCP proxy that holds, delays or resets whatever passes. The bytes of
 * a connection are never changed, reordered or left out, as TCP never does.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * drop: nothing passes, and no side learns it, as if a cable were pulled; what was sent arrives when the wire is
 * mended. reset: connections break, and new ones too. break: each connection breaks once it has passed so many more
 * bytes, at any byte of what it carries; those opened later are whole. delay: each piece comes so much later. hang:
 * connections that are open pass nothing for good, also when the wire is mended, as behind a firewall that has
 * forgotten them; those opened later are whole.
 */
export type WireFault =
  | { readonly kind: 'drop' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'break'; readonly afterBytes: number }
  | { readonly kind: 'delay'; readonly delayMs: number }
  | { readonly kind: 'hang' };

export interface TcpProxy {
  /** Where the one end connects to, such as 127.0.0.1:40001. */
  readonly address: string;
  harm(fault: WireFault): void;
  mend(): void;
  close(): Promise<void>;
}

const HUNG = new Error('The connection hung until an end of it gave it up.');

/** @param targetPort on this machine; nothing need listen there yet. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const open = new Set<Socket>();
  let fault: WireFault | null = null;
  let changed = Promise.withResolvers<void>();
  const change = (next: WireFault | null) => {
    fault = next;
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const passage = async (from: Socket): Promise<void> => {
    if (hung.has(from)) await new Promise((_, reject) => from.once('close', () => reject(HUNG)));
    while (fault?.kind === 'drop') await changed.promise;
    if (fault?.kind === 'delay') await sleep(fault.delayMs);
  };
  const resetAll = () => {
    for (const socket of open) breakOff(socket);
  };
  /** Those that pass nothing for good. */
  const hung = new WeakSet<Socket>();
  /** Bytes that each end which sends may still send before its connection breaks. */
  const budgets = new WeakMap<Socket, number>();

  const server = createServer({ allowHalfOpen: true, noDelay: true }, async (near) => {
    track(near);
    await passage(near).catch(() => near.destroy());
    if (fault?.kind === 'reset' || near.destroyed) {
      breakOff(near);
      return;
    }
    const far = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    track(far);
    const breakBoth = () => {
      breakOff(near);
      breakOff(far);
    };
    near.once('error', breakBoth);
    far.once('error', breakBoth);
    await Promise.all([pump(near, far, passage, budgets), pump(far, near, passage, budgets)]).catch(
      breakBoth,
    );
  });
  function track(socket: Socket): void {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => open.delete(socket));
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    harm(next) {
      change(next);
      if (next.kind === 'reset') resetAll();
      if (next.kind === 'hang') for (const socket of open) hung.add(socket);
      if (next.kind === 'break') for (const socket of open) budgets.set(socket, next.afterBytes);
    },
    mend: () => change(null),
    async close() {
      change(null);
      resetAll();
      server.close();
      await once(server, 'close');
    },
  };
}

/** With a reset where that is possible: Node never closes a socket that is reset while its end is being sent. */
export function breakOff(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** Resolves when `from` has ended and all of it was passed on. Rejects when either breaks. */
async function pump(
  from: Socket,
  to: Socket,
  passage: (from: Socket) => Promise<void>,
  budgets: WeakMap<Socket, number>,
): Promise<void> {
  const gone = new AbortController();
  to.once('close', () => gone.abort());
  for await (const chunk of from) {
    await passage(from);
    const left = budgets.get(from);
    if (left !== undefined && chunk.length >= left) {
      // A socket that is reset forgets what it was to send.
      await new Promise<void>((resolve) => to.write(chunk.subarray(0, left), () => resolve()));
      throw new Error('the wire broke');
    }
    if (left !== undefined) budgets.set(from, left - chunk.length);
    if (!to.write(chunk)) await once(to, 'drain', { signal: gone.signal });
  }
  await passage(from);
  to.end();
}
