/** What the budgets need of a node-redis client, and how they run a script with it. */
import { runScript, type Script, type ScriptRedis } from '../../platform/redis/lua-script.ts';

export interface LedgerRedis extends ScriptRedis {
  hGet(key: string, field: string): Promise<string | null>;
  hGetAll(key: string): Promise<Record<string, string>>;
  xRange(
    key: string,
    from: string,
    to: string,
    options?: { COUNT: number },
  ): Promise<readonly StreamEntry[] | null>;
  zScan(
    key: string,
    cursor: string,
    options: { COUNT: number },
  ): Promise<{ readonly cursor: string | number; readonly members: readonly { readonly value: string }[] }>;
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
export function askScript(
  redis: LedgerRedis,
  script: Script,
  keys: string[],
  question: unknown,
): Promise<unknown> {
  return askWithNames(redis, script, keys, [questionOf(question)]);
}

/** @param args the question as JSON, then names as they are. */
export async function askWithNames(
  redis: LedgerRedis,
  script: Script,
  keys: string[],
  args: readonly string[],
): Promise<unknown> {
  return JSON.parse(String(await runScript(redis, script, keys, args)));
}

/** Redis' reader of JSON refuses half a surrogate pair, which JavaScript writes as an escape. */
export function questionOf(question: unknown): string {
  return JSON.stringify(question, (_, value: unknown) =>
    typeof value === 'string' ? value.toWellFormed() : value,
  );
}
