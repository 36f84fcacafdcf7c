/**
 * Lets the writes of a connection wait until replicas have them, so that a failover to one of these loses none.
 *
 * `WAIT` blocks the connection that sends it, and with it every command behind it. So it leaves on a separate
 * connection to the same server, behind a small write: what replicas have of that one, they have of all writes that the
 * server executed before it. All writes that are answered while one `WAIT` is in flight share the next one, as commits
 * share an fsync.
 */
import { ErrorReply } from 'redis';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { ClientOptions, ReplicaWait } from './redis-client.ts';
import {
  answeredWithin,
  limitSilence,
  ReplicasMissingError,
  type ServerConnection,
} from './redis-connection.ts';

/** Everything that changes data; publishing and blocking pops are not to be kept. */
const WRITES = new Set(
  (
    'EVAL EVALSHA SET GETDEL DEL HSET HDEL LPUSH LREM PEXPIRE PEXPIREAT PERSIST EXPIRE SADD SREM ' +
    'ZADD ZREM XADD XDEL'
  ).split(' '),
);

/** How long the small write is kept. */
const MARK_MS = 1_000;

/** What is needed of a node-redis client, beside what limits its silence. */
interface ReplicatedConnection extends ServerConnection {
  duplicate(): object;
}

interface SideConnection extends ServerConnection {
  readonly isOpen: boolean;
  connect(): Promise<unknown>;
  destroy(): void;
  set(key: string, value: string, options: { readonly PX: number }): Promise<unknown>;
  wait(replicas: number, timeoutMs: number): Promise<number>;
}

export function confirmOnReplicas(
  connection: ReplicatedConnection,
  replicas: ReplicaWait,
  { onError, answerMs }: ClientOptions,
): void {
  // As in `limitSilence`: all commands use the client's own method.
  const client: ReplicatedConnection = Object.getPrototypeOf(connection);
  const send = client.sendCommand.bind(client);
  let side: SideConnection | undefined;
  const count = async (key: string): Promise<number> => {
    side ??= sideOf(connection, onError, answerMs + replicas.withinMs);
    if (!side.isOpen) await answeredWithin(answerMs, side.connect());
    const [mark, confirmed] = await Promise.allSettled([
      side.set(REDIS_KEYS.replicationMark(hashTagOf(key)), '1', { PX: MARK_MS }),
      side.wait(replicas.count, replicas.withinMs),
    ]);
    if (mark.status === 'rejected') {
      if (!(mark.reason instanceof ErrorReply)) throw mark.reason;
      // The slot of the key is moving, and the server takes no new key in it: so WAIT follows the write itself.
      return send<number>(['WAIT', String(replicas.count), String(replicas.withinMs)]);
    }
    if (confirmed.status === 'rejected') throw confirmed.reason;
    return confirmed.value;
  };
  const confirmation = new Confirmation(async (key) => {
    const confirmed = await count(key);
    if (confirmed < replicas.count) throw new ReplicasMissingError(confirmed, replicas);
  });
  connection.once('end', () => side?.destroy());
  client.sendCommand = async <Reply>(...call: Parameters<typeof send>): Promise<Reply> => {
    const reply = await send<Reply>(...call);
    const key = keyWrittenBy(call[0].slice(0, 4).map(String));
    if (key !== undefined) await confirmation.ofWritesSoFar(key);
    return reply;
  };
}

function sideOf(
  connection: ReplicatedConnection,
  onError: ClientOptions['onError'],
  answerMs: number,
): SideConnection {
  // `duplicate` returns the client itself; what `createClient` returns lies on top of one.
  const side: SideConnection = Object.create(connection.duplicate());
  side.on('error', onError);
  limitSilence(side, answerMs);
  return side;
}

/** The first key of a command that changes data. */
function keyWrittenBy([name = '', ...args]: readonly string[]): string | undefined {
  if (!WRITES.has(name.toUpperCase())) return undefined;
  // EVALSHA sha1 numkeys key
  return name.toUpperCase().startsWith('EVAL') ? args[2] : args[0];
}

/** What decides about the slot of a key. */
function hashTagOf(key: string): string {
  return /\{([^}]+)\}/.exec(key)?.[1] ?? key;
}

/** Runs one confirmation at a time; those who ask meanwhile share the next. */
class Confirmation {
  readonly #confirm: (key: string) => Promise<void>;
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(confirm: (key: string) => Promise<void>) {
    this.#confirm = confirm;
  }

  /** @param key of one of the writes. */
  ofWritesSoFar(key: string): Promise<void> {
    if (this.#next !== null) return this.#next;
    const next = this.#running.then(() => {
      // From here on a write may come too late for this confirmation.
      this.#next = null;
      return this.#confirm(key);
    });
    this.#next = next;
    this.#running = next.catch(() => undefined);
    return next;
  }
}
