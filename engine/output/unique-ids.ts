/**
 * Gives each id of a schema to the first that has it. Generators repeat a definition, with its id, wherever it is used;
 * vendors take that, and Ajv refuses it.
 */
import { mapSchemas, type Schema } from './map-schemas.ts';

/** For an id that is relative to none: only whether two are the same matters. */
const NO_BASE = 'http://schema.invalid/';

/** @param keyword the name of an id in the draft. */
export function withUniqueIds(schema: Schema, keyword: '$id' | 'id'): Schema {
  const seen = new Map<string, number>();
  const within = (own: Schema, base: string): Schema => {
    const id = own[keyword];
    if (typeof id !== 'string') return mapSchemas(own, (inner) => within(inner, base));
    const unique = uniqueId(id, base, seen);
    const { [keyword]: _, ...rest } = own;
    const named = unique === null ? rest : { ...rest, [keyword]: unique };
    return mapSchemas(named, (inner) => within(inner, resolve(unique ?? '', base)));
  };
  return within(schema, NO_BASE);
}

/** What it refers to within itself stays there. @returns null for the name of a place: a copy needs none. */
function uniqueId(id: string, base: string, seen: Map<string, number>): string | null {
  const plain = id.replace(/#$/, '');
  const full = resolve(plain, base);
  const copies = seen.get(full) ?? 0;
  seen.set(full, copies + 1);
  if (copies === 0) return id;
  return plain.includes('#') ? null : `${plain}${plain.includes('?') ? '&' : '?'}unbroken-copy=${copies}`;
}

function resolve(id: string, base: string): string {
  return URL.parse(id, base)?.href.replace(/#$/, '') ?? `${base} ${id}`;
}
