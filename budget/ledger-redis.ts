/** What the budgets need of a node-redis client, and how they run a script with it. */
import type { Script } from './step-script.ts';

export interface LedgerRedis {
  evalSha(sha: string, call: { keys: string[]; arguments: string[] }): Promise<unknown>;
  eval(source: string, call: { keys: string[]; arguments: string[] }): Promise<unknown>;
  hGet(key: string, field: string): Promise<string | null>;
  hGetAll(key: string): Promise<Record<string, string>>;
  xRange(
    key: string,
    from: string,
    to: string,
    options?: { COUNT: number },
  ): Promise<readonly StreamEntry[] | null>;
  zRange(key: string, first: number, last: number): Promise<string[]>;
}

export interface StreamEntry {
  readonly id: string;
  readonly message: Record<string, string>;
}

/** At most `count` entries, oldest first, after the id (exclusive; '' for all). */
export async function readStream(
  redis: LedgerRedis,
  key: string,
  after: string,
  count: number,
): Promise<readonly StreamEntry[]> {
  return (await redis.xRange(key, after === '' ? '-' : `(${after}`, '+', { COUNT: count })) ?? [];
}

/** @returns the JSON that the script answered. */
export async function runScript(
  redis: LedgerRedis,
  { sha, source }: Script,
  keys: string[],
  question: unknown,
): Promise<unknown> {
  const call = { keys, arguments: [JSON.stringify(question)] };
  const reply = await redis.evalSha(sha, call).catch((error: unknown) => {
    if (error instanceof Error && error.message.startsWith('NOSCRIPT')) return redis.eval(source, call);
    throw error;
  });
  return JSON.parse(String(reply));
}
