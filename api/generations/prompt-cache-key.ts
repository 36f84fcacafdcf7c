/**
 * The key of a conversation for the vendors' prompt caches: all turns of a conversation have the same. It goes to
 * vendors that route by such a key, and keeps a conversation at one key of a provider and at one model of a route.
 */
import { createHash } from 'node:crypto';
import { functionTools, partsOf, textOfMessage } from '../../contracts/content.ts';
import type { GenerationInput } from '../../contracts/generation.ts';

/** No vendor caches less; a shorter prompt has nothing to lose by another key. */
const LEAST_TOKENS = 512;
const KEY_CHARS = 32;

/**
 * A hash of the tenant, the system text, the tools, and the messages up to the first of the user. Marks and other
 * fields of one format are no part of it: clients move their marks from turn to turn.
 * @returns undefined if there is nothing to cache.
 */
export function promptCacheKeyOf(
  tenant: string,
  input: GenerationInput,
  inputTokens: number,
): string | undefined {
  if (input.promptCaching === 'off' || inputTokens < LEAST_TOKENS) return undefined;
  const hash = createHash('sha256');
  const add = (text: string) => hash.update(`${text.length} `).update(text);
  add(tenant);
  add(input.system ?? '');
  for (const { name, description = '' } of functionTools(input.tools)) add(name).update(description);
  const firstOfUser = input.messages.findIndex(({ role }) => role === 'user');
  for (const message of input.messages.slice(0, firstOfUser + 1)) {
    add(textOfMessage(message));
    for (const part of partsOf(message)) if ('url' in part) add(part.url);
  }
  return hash.digest('hex').slice(0, KEY_CHARS);
}
