/** Names of tools in namespaces, as a model sees them: other formats have no namespaces. */
import { createHash } from 'node:crypto';

/** Vendors take no longer names. */
const FLAT_NAME_CHARS = 64;
export const FLAT_SEPARATOR = '__';

/** The name under which a model sees a tool of a namespace. The same pair always has the same name. */
export function flatToolName(name: string, namespace: string | null | undefined): string {
  if (namespace === null || namespace === undefined || namespace === '') return name;
  const joint = namespace.endsWith(FLAT_SEPARATOR) ? '' : FLAT_SEPARATOR;
  const flat = `${namespace}${joint}${name}`.replace(/[^\w-]/g, '_');
  if (flat.length <= FLAT_NAME_CHARS) return flat;
  return `${flat.slice(0, FLAT_NAME_CHARS - 9)}_${createHash('sha256').update(flat).digest('hex').slice(0, 8)}`;
}
