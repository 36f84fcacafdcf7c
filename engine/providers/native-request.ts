/** Puts the fields that only one format has back to where its client sent them. */
import { cacheMarkIn } from '../../contracts/cache-marks.ts';
import type { NativeFields, RequestFormat } from '../../contracts/content.ts';
import type { GenerationInput } from '../../contracts/generation.ts';
import { isJsonObject } from '../../contracts/json.ts';
import { sharedFields } from '../models/native-fields.ts';
import type { ProviderCall } from './provider.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The fields of a part, message or tool, if they are of this format; of another, only marks of Anthropic's cache. */
export function nativeOf(
  { native }: { readonly native?: NativeFields | undefined },
  format: RequestFormat,
): Fields {
  return native?.format === format ? native.fields : foreignMark(native, format);
}

/** The top-level fields for a provider of this format. */
export function nativeRequestFields({ native }: GenerationInput, format: RequestFormat): Fields {
  if (native?.format === format) return native.fields;
  return { ...sharedFields(native, format), ...foreignMark(native, format) };
}

/** Clients of chat completions mark prompts for Claude in the same words. */
function foreignMark(native: NativeFields | undefined, format: RequestFormat): Fields {
  const mark = format === 'anthropic-messages' ? cacheMarkIn(native?.fields) : undefined;
  return mark === undefined ? {} : { cache_control: mark };
}

/** The key of the conversation for OpenAI's prompt cache, which a key of the client replaces. */
export function promptCacheField({ promptCacheKey }: ProviderCall): { readonly prompt_cache_key?: string } {
  return promptCacheKey === undefined ? {} : { prompt_cache_key: promptCacheKey };
}

/** Adds the fields to an object of the request, also inside its objects. What the request sets itself stays. */
export function mergeFields<Own extends object>(fields: Fields, own: Own): Own {
  const names = Object.keys(fields);
  if (names.length === 0) return own;
  const merged: Record<string, unknown> = Object.fromEntries(Object.entries(own));
  for (const name of names) {
    const [set, added] = [merged[name], fields[name]];
    if (set === undefined) merged[name] = added;
    else if (isJsonObject(set) && isJsonObject(added)) merged[name] = mergeFields(added, set);
  }
  return merged as Own;
}
