/** A JSON Schema and its references. */

export type Schema = Readonly<Record<string, unknown>>;

export function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function schemasIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function entriesIn(value: unknown): readonly (readonly [string, unknown])[] {
  return isSchema(value) ? Object.entries(value) : [];
}

export function namesIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : [];
}

export function numberIn(schema: Schema, keyword: string): number | undefined {
  const value = schema[keyword];
  return typeof value === 'number' ? value : undefined;
}

export function typesOf({ type }: Schema): readonly string[] {
  return typeof type === 'string' ? [type] : namesIn(type);
}

/** Equal for equal values, whatever the order of their properties. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isSchema(value)) return JSON.stringify(value) ?? 'null';
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${fields.join(',')}}`;
}

/** @returns true, which allows everything, for a reference that leads nowhere or out of the document. */
export function resolveReference(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#')) return findById(root, reference) ?? true;
  if (reference === '#') return root;
  if (!reference.startsWith('#/')) return findById(root, reference.slice(1)) ?? true;
  let target: unknown = root;
  for (const step of decodeURIComponent(reference.slice(2)).split('/')) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    target = Array.isArray(target)
      ? target[Number(key)]
      : isSchema(target) && Object.hasOwn(target, key)
        ? target[key]
        : undefined;
  }
  return target ?? true;
}

function findById(within: unknown, id: string): unknown {
  if (Array.isArray(within))
    return within.map((item) => findById(item, id)).find((found) => found !== undefined);
  if (!isSchema(within)) return undefined;
  if (within['$anchor'] === id || within['$id'] === id) return within;
  return findById(Object.values(within), id);
}
