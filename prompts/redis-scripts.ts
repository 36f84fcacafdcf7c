/** Runs Lua in Redis: by its hash, and whole where Redis does not know it yet. */
import { createHash } from 'node:crypto';
import { z } from 'zod';

/** What this folder needs of a node-redis client. */
export interface PromptRedis {
  evalSha(sha: string, call: { keys: string[]; arguments: string[] }): Promise<unknown>;
  eval(source: string, call: { keys: string[]; arguments: string[] }): Promise<unknown>;
  hGet(key: string, field: string): Promise<string | null>;
  hGetAll(key: string): Promise<Record<string, string>>;
  hmGet(key: string, fields: string[]): Promise<(string | null)[]>;
  get(key: string): Promise<string | null>;
  set(key: string, value: string, options: { NX: true; GET: true; PX: number }): Promise<string | null>;
  sAdd(key: string, member: string): Promise<unknown>;
  sMembers(key: string): Promise<string[]>;
  sIsMember(key: string, member: string): Promise<number>;
  sCard(key: string): Promise<number>;
  zRange(key: string, from: number, to: number, order: { REV: true }): Promise<string[]>;
  hDel(key: string, field: string): Promise<number>;
}

export interface Script {
  readonly sha: string;
  readonly source: string;
}

export function script(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}

/** The reply as text, whole numbers too. */
export async function run(
  redis: PromptRedis,
  { sha, source }: Script,
  keys: string[],
  args: readonly (string | number)[],
): Promise<string[]> {
  const call = { keys, arguments: args.map(String) };
  const reply = await redis.evalSha(sha, call).catch((error: unknown) => {
    if (error instanceof Error && error.message.startsWith('NOSCRIPT')) return redis.eval(source, call);
    throw error;
  });
  return z.array(z.coerce.string()).parse(reply);
}
