/** What the prompts need of Redis, and how their scripts answer. */
import { z } from 'zod';
import { runScript, type ScriptRedis } from '../../platform/redis/lua-script.ts';

/** What this folder needs of a node-redis client. */
export interface PromptRedis extends ScriptRedis {
  hGet(key: string, field: string): Promise<string | null>;
  hGetAll(key: string): Promise<Record<string, string>>;
  hmGet(key: string, fields: string[]): Promise<(string | null)[]>;
  get(key: string): Promise<string | null>;
  sAdd(key: string, member: string): Promise<unknown>;
  sMembers(key: string): Promise<string[]>;
  sIsMember(key: string, member: string): Promise<number>;
  sCard(key: string): Promise<number>;
  zRange(key: string, from: number, to: number, order: { REV: true }): Promise<string[]>;
  hDel(key: string, field: string): Promise<number>;
}

/** The reply as text, whole numbers too. */
export async function run(...call: Parameters<typeof runScript>): Promise<string[]> {
  return z.array(z.coerce.string()).parse(await runScript(...call));
}
