/** Lua scripts in Redis, run by their hash, and sent whole where Redis does not know them yet, as after its restart. */
import { createHash } from 'node:crypto';

export interface Script {
  readonly source: string;
  readonly sha: string;
}

/** What running a script needs of a node-redis client. */
export interface ScriptRedis {
  evalSha(sha: string, call: { keys: string[]; arguments: string[] }): Promise<unknown>;
  eval(source: string, call: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

export function script(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}

/** A command that is sent behind it on the same connection runs before a script that Redis does not know yet. */
export function runScript(
  redis: ScriptRedis,
  { sha, source }: Script,
  keys: string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  const call = { keys, arguments: args.map(String) };
  return redis.evalSha(sha, call).catch((error: unknown) => {
    if (isUnknownScript(error)) return redis.eval(source, call);
    throw error;
  });
}

export function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

/**
 * Named fields as the one JSON argument of a script, which reads them by `cjson.decode(ARGV[1])`. Leave a field out
 * instead of giving null, which Lua takes for true.
 *
 * Half a surrogate pair is replaced by U+FFFD, as the client does in a plain argument: `JSON.stringify` escapes it, and
 * cjson rejects that escape.
 */
export function luaFields(fields: Readonly<Record<string, unknown>>): string {
  const json = JSON.stringify(fields);
  if (!json.includes('\\ud')) return json;
  return JSON.stringify(fields, (_, value) => (typeof value === 'string' ? value.toWellFormed() : value));
}
