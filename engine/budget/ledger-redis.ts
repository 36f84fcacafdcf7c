/** The Redis commands that budgets need, and how a budget script answers. */
import {
  askScript,
  type Script,
  type ScriptCall,
  type ScriptRedis,
} from '../../platform/redis/lua-script.ts';

export interface LedgerRedis extends ScriptRedis {
  hGet(key: string, field: string): Promise<string | null>;
  hmGet(key: string, fields: string[]): Promise<(string | null)[]>;
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
export async function askLedger(redis: ScriptRedis, called: Script, call: ScriptCall): Promise<unknown> {
  return JSON.parse(String(await askScript(redis, called, call)));
}
