/** Keeps what a request has besides the fields that our own format carries, and refuses what would break a promise. */
import type { NativeFields, NativeRequest, RequestFormat } from '../../contracts/content.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import { isJsonObject } from '../../contracts/json.ts';
import { refusedFields } from '../../contracts/refused-fields.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The fields of an object that are mapped: `true` as a whole, or field by field. */
interface Shape {
  readonly [name: string]: true | Shape;
}

/** What an object holds besides the shape; null counts as absent. */
function restOf(value: Fields, shape: Shape): Record<string, unknown> {
  const rest: Record<string, unknown> = {};
  for (const [name, own] of Object.entries(value)) {
    const known = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (own === null || own === undefined || known === true) continue;
    if (known === undefined || !isJsonObject(own)) rest[name] = own;
    else {
      const inner = restOf(own, known);
      if (Object.keys(inner).length > 0) rest[name] = inner;
    }
  }
  return rest;
}

/** The `native` of a part, message or tool; none if the shape covers all of it. */
export function nativeRest(
  format: RequestFormat,
  value: Fields,
  shape: Shape,
): { readonly native?: NativeFields } {
  const fields = restOf(value, shape);
  return Object.keys(fields).length === 0 ? {} : { native: { format, fields } };
}

/** The `native` of a request. @throws invalid_request for a field that would break a promise of ours. */
export function nativeRequest(
  format: RequestFormat,
  body: Fields,
  shape: Shape,
  betas: readonly string[] = [],
): { readonly native?: NativeRequest } {
  const fields = restOf(body, shape);
  for (const [name, value] of Object.entries(fields)) {
    const refused = refusedFields[format][name];
    if (refused === undefined) continue;
    if (refused.unless?.includes(JSON.stringify(value)) !== true) {
      throw new UnbrokenError('invalid_request', `${name}: ${refused.because}`, { details: { param: name } });
    }
  }
  if (Object.keys(fields).length === 0 && betas.length === 0) return {};
  return { native: { format, fields, ...(betas.length === 0 ? {} : { betas: [...betas] }) } };
}
