/**
 * Runs Lua scripts in Redis: by their hash, and with their source when Redis does not know the hash, as after a
 * restart.
 *
 * A script receives one JSON object with the full names of its fields, `local ask = cjson.decode(ARGV[1])`. A text
 * that the script stores without reading it follows as ARGV[2], so that Lua does not parse it. A constant that both
 * languages need is interpolated from TypeScript.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';

const textsSchema = z.array(z.coerce.string());

export interface Script {
  readonly source: string;
  readonly sha: string;
}

/** The commands of a node-redis client that a script needs. */
export interface ScriptRedis {
  evalSha(sha: string, call: { keys: string[]; arguments: string[] }): Promise<unknown>;
  eval(source: string, call: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

export interface ScriptCall {
  readonly keys: readonly string[];
  /** ARGV[1]; see `luaFields`. */
  readonly ask: object;
  /** ARGV[2] and those after it. */
  readonly texts?: readonly string[];
}

export function script(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}

/** One that Redis runs at its limit of memory, too: it makes room, or takes hardly any and must not fail for it. */
export function vitalScript(source: string): Script {
  return script(`#!lua flags=allow-oom\n${source}`);
}

/** @returns the reply as Redis sends it. */
export function askScript(
  redis: ScriptRedis,
  called: Script,
  { keys, ask, texts = [] }: ScriptCall,
): Promise<unknown> {
  return runScript(redis, called, [...keys], [luaFields(ask), ...texts]);
}

/** @returns a reply that is a list, as texts; whole numbers too. */
export async function askScriptForTexts(
  redis: ScriptRedis,
  called: Script,
  call: ScriptCall,
): Promise<string[]> {
  return textsSchema.parse(await askScript(redis, called, call));
}

/**
 * Runs a script with its arguments as they are. If Redis does not know the script yet, a command that is sent behind
 * this call on the same connection runs before it.
 */
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

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

/**
 * Named fields as the JSON argument of a script. A field must be left out rather than null, which Lua takes for true.
 *
 * Half a surrogate pair is replaced by U+FFFD, as the client does in a plain argument: `JSON.stringify` escapes it, and
 * `cjson` rejects that escape.
 */
export function luaFields(fields: object): string {
  const json = JSON.stringify(fields);
  if (!json.includes('\\ud')) return json;
  return JSON.stringify(fields, (_, value: unknown) =>
    typeof value === 'string' ? value.toWellFormed() : value,
  );
}
