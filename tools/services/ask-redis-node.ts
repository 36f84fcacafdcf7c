/** Asks one server of a Redis Cluster: any command, and what it knows of the others. */
import { createClient } from 'redis';

/** A busy machine is slow to accept a connection. */
const ANSWER_MS = 30_000;

/** A server as another one of the cluster sees it. */
export interface ListedNode {
  readonly id: string;
  readonly port: number;
  /** Of a replica; undefined of a master. */
  readonly masterId: string | undefined;
  readonly isFailed: boolean;
  /** First and last of each range that it owns; empty for a replica. */
  readonly slots: readonly (readonly [number, number])[];
}

export async function askNode(url: string, command: readonly string[]): Promise<unknown> {
  const client = createClient({
    url,
    RESP: 2,
    socket: { connectTimeout: ANSWER_MS, socketTimeout: ANSWER_MS, reconnectStrategy: false },
  });
  // The rejection of the call says it as well.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await client.sendCommand([...command]);
  } finally {
    client.destroy();
  }
}

export async function listNodes(url: string): Promise<ListedNode[]> {
  const text = String(await askNode(url, ['CLUSTER', 'NODES']));
  return text.trim().split('\n').map(parseNode);
}

/** A line of CLUSTER NODES: id, address, flags, master, ping, pong, epoch, link state, slots. */
function parseNode(line: string): ListedNode {
  const [id = '', address = '', flags = '', masterId = '-', , , , , ...slots] = line.split(' ');
  return {
    id,
    port: Number(/:(\d+)@/.exec(address)?.[1]),
    masterId: masterId === '-' ? undefined : masterId,
    isFailed: /\bfail\b/.test(flags),
    slots: slots
      // In brackets: a slot that is being moved.
      .filter((range) => !range.startsWith('['))
      .map((range) => {
        const [first = '', last = first] = range.split('-');
        return [Number(first), Number(last)] as const;
      }),
  };
}
