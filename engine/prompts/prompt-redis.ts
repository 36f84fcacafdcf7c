/** The commands of a node-redis client that prompts need. */
import type { ScriptRedis } from '../../platform/redis/lua-script.ts';

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
