/** Parses JSON from clients, after a check of its encoding, its nesting and its number of values. */
import { isUtf8 } from 'node:buffer';
import { UnbrokenError } from '../../contracts/errors.ts';
import { HostileLengthError, parseJson } from '../../contracts/json.ts';
import { type JsonFault, type JsonLimits, jsonFault } from '../../contracts/json-limits.ts';
import { LIMITS } from '../../contracts/limits.ts';

const DEFAULT_LIMITS: JsonLimits = { depth: LIMITS.jsonDepth, values: LIMITS.jsonValues };

/**
 * @param what names the text in errors: `body` or `frame`.
 * @throws invalid_json, invalid_request
 */
export function parseOutsideJson(bytes: Uint8Array, what: string, limits = DEFAULT_LIMITS): unknown {
  if (!isUtf8(bytes)) throw new UnbrokenError('invalid_json', `The ${what} is not valid UTF-8.`);
  const fault = jsonFault(bytes, limits);
  if (fault !== null) throw toJsonError(fault, what, limits);
  try {
    return parseJson(new TextDecoder('utf-8').decode(bytes));
  } catch (error) {
    const message =
      error instanceof HostileLengthError
        ? `The ${what} cannot be read. ${error.message}`
        : `The ${what} is not valid JSON.`;
    throw new UnbrokenError('invalid_json', message, { cause: error });
  }
}

function toJsonError(fault: JsonFault, what: string, { depth, values }: JsonLimits): UnbrokenError {
  switch (fault) {
    case 'depth':
      return new UnbrokenError('invalid_request', `The ${what} is nested deeper than ${depth} levels.`);
    case 'values':
      return new UnbrokenError(
        'invalid_request',
        `The ${what} has more than ${values} values; the setting is http.jsonValues.`,
        { details: { param: what } },
      );
    case 'surrogate':
      return new UnbrokenError(
        'invalid_json',
        `The ${what} has an escape such as \\ud800 without its other half, which is not a Unicode character.`,
      );
  }
}
