/** JSON Pointer (RFC 6901): the paths by which a pipeline names values. Reading one costs as much as it is long. */
import { isJsonObject } from './json.ts';

/** `/steps/outline/sections` as its parts. @returns null if it is no pointer. */
export function parsePointer(pointer: string): readonly string[] | null {
  if (!/^(?:\/(?:[^~/]|~[01])*)+$/u.test(pointer)) return null;
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

const ROOTS: readonly (string | undefined)[] = ['input', 'steps', 'item', 'index'];

/** Whether it is a pointer to something that a pipeline has. */
export function isPointer(text: string): boolean {
  const path = parsePointer(text);
  return path !== null && ROOTS.includes(path[0]);
}

/** The value at the end of the path; undefined if there is none. Only own members count. */
export function valueAt(document: unknown, path: readonly string[]): unknown {
  let value = document;
  for (const part of path) {
    if (Array.isArray(value)) value = /^(?:0|[1-9]\d{0,8})$/.test(part) ? value[Number(part)] : undefined;
    else if (isJsonObject(value) && Object.hasOwn(value, part)) value = value[part];
    else return undefined;
  }
  return value;
}
