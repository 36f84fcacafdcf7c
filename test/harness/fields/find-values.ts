/** Where the values of a field are in a request, and by which names an answer may mean the field. */
import { isDeepStrictEqual } from 'node:util';
import type { ReachedObject } from './examples.ts';

/** The type that an object of a union names itself by. */
function typeOf({ object }: ReachedObject): string {
  const type = object.fields.get('type')?.type;
  return type?.kind === 'literal' ? String(type.value) : '';
}

/** Whether a text has one of the names, whatever their spelling. */
export function isNamed(text: string, names: readonly string[]): boolean {
  const plain = (value: string) => value.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return names.some((name) => name !== '' && plain(text).includes(plain(name)));
}

/** A text that was made for this field. */
export function isUnique(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith('value-of-');
}

/** Lists that hold most of a request: their names say nothing of what was refused. */
const HOLDERS = ['messages', 'content', 'input', 'system'];

/** The names by which an error or a header may mean a field: its own, or that of what it is part of. */
export function namesOf(
  body: Readonly<Record<string, unknown>>,
  reached: ReachedObject,
  name: string,
): readonly string[] {
  const holders = reached.steps.map(({ field }) => field).filter((field) => !HOLDERS.includes(field));
  const isThought = ['thinking', 'redacted_thinking', 'reasoning'].includes(typeOf(reached));
  const types = reached.steps.flatMap((_, depth) => {
    const type = valueAt(body, { steps: reached.steps.slice(0, depth + 1) }, 'type');
    return typeof type === 'string' ? [type] : [];
  });
  const role = reached.object.fields.has('role') ? ['role'] : [];
  return [name, ...holders, ...types, ...role, ...(isThought ? ['reasoning'] : [])];
}

/** The value of the field in the request that was built for it. */
export function valueAt(
  body: Readonly<Record<string, unknown>>,
  { steps }: Pick<ReachedObject, 'steps'>,
  name: string,
): unknown {
  let held: unknown = body;
  for (const { field, lists } of steps) {
    held = (held as Record<string, unknown>)[field];
    for (let list = 0; list < lists; list += 1) held = (held as unknown[])[0];
  }
  return (held as Record<string, unknown>)[name];
}

/** The paths whose value is this one, or a text that contains it. */
export function pathsWith(value: unknown, wanted: unknown, path = ''): string[] {
  const isText = typeof wanted === 'string' && typeof value === 'string' && wanted.length > 3;
  if (isText ? value.includes(wanted) : isDeepStrictEqual(value, wanted)) return [path];
  if (!isObject(value)) return [];
  const isList = Array.isArray(value);
  return Object.entries(value).flatMap(([name, own]) =>
    pathsWith(own, wanted, isList ? `${path}[]` : path === '' ? name : `${path}.${name}`),
  );
}

export function hasName(paths: readonly string[], name: string): boolean {
  return paths.some((path) => path.split(/[.[]/).includes(name));
}

/** The paths at which two values differ, without the places in lists. */
export function changedPaths(a: unknown, b: unknown, path = ''): string[] {
  if (JSON.stringify(a) === JSON.stringify(b)) return [];
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b))
    return path === 'model' ? [] : [path];
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  const changed = [...names].flatMap((name) => {
    const inner = Array.isArray(a) ? `${path}[]` : path === '' ? name : `${path}.${name}`;
    return changedPaths(a[name], b[name], inner);
  });
  return [...new Set(changed)];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

export function shortest(paths: readonly string[]): string {
  return [...paths].sort((a, b) => a.length - b.length)[0] ?? '';
}
