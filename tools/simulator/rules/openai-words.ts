/** Problems in OpenAI's words, which its two formats share; and its limits on single values. */
import type { TypeProblem } from './check-types.ts';
import type { Problem } from './rule.ts';

const KINDS: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'an integer',
  boolean: 'a boolean',
  array: 'an array',
  object: 'an object',
  null: 'null',
};

export function openAiBody(status: number, { message, param = '', code = '' }: Problem): object {
  return {
    error: {
      message,
      type: status >= 500 ? 'server_error' : 'invalid_request_error',
      param: param === '' ? null : param,
      code: code === '' ? null : code,
    },
  };
}

export function inOpenAiWords(problem: TypeProblem): Problem {
  const param = placeOf(problem.path);
  switch (problem.kind) {
    case 'unknown':
      return { message: `Unknown parameter: '${param}'.`, param, code: 'unknown_parameter' };
    case 'missing':
      return {
        message: `Missing required parameter: '${param}'.`,
        param,
        code: 'missing_required_parameter',
      };
    case 'type': {
      const expected = problem.expected.map((kind) => KINDS[kind] ?? kind);
      const wanted = expected.length > 1 ? `one of ${listOf(expected, 'or')}` : expected.join();
      const found = KINDS[kindOf(problem.value)] ?? 'an object';
      const message = `Invalid type for '${param}': expected ${wanted}, but got ${found} instead.`;
      return { message, param, code: 'invalid_type' };
    }
    case 'value': {
      const allowed = problem.allowed.map((value) => `'${value}'`);
      const message = `Invalid value: '${problem.value}'. Supported values are: ${listOf(allowed, 'and')}.`;
      return { message, param, code: 'invalid_value' };
    }
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function listOf(words: readonly string[], last: 'or' | 'and'): string {
  if (words.length < 2) return words.join();
  return `${words.slice(0, -1).join(', ')}${words.length > 2 ? ',' : ''} ${last} ${words.at(-1)}`;
}

/** `messages[0].content[1].text`. */
function placeOf(path: TypeProblem['path']): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
    .join('')
    .slice(1);
}

export function tooLong(param: string, text: string, most: number): Problem | null {
  if (text.length <= most) return null;
  const found = `Expected a string with maximum length ${most}, but got a string with length ${text.length} instead.`;
  return { message: `Invalid '${param}': string too long. ${found}`, param, code: 'string_above_max_length' };
}

export function wrongPattern(param: string, text: string, pattern: RegExp): Problem | null {
  if (pattern.test(text)) return null;
  const expected = `Expected a string that matches the pattern '${pattern.source}'.`;
  return {
    message: `Invalid '${param}': string does not match pattern. ${expected}`,
    param,
    code: 'invalid_value',
  };
}

/** A list with more or fewer members than the vendor takes. */
export function wrongLength(
  param: string,
  list: readonly unknown[],
  least: number,
  most: number,
): Problem | null {
  const { length } = list;
  if (length >= least && length <= most) return null;
  if (length === 0) {
    const expected = `Expected an array with minimum length ${least}, but got an empty array instead.`;
    return { message: `Invalid '${param}': empty array. ${expected}`, param, code: 'empty_array' };
  }
  const expected = `Expected an array with maximum length ${most}, but got an array with length ${length} instead.`;
  return {
    message: `Invalid '${param}': array too long. ${expected}`,
    param,
    code: 'array_above_max_length',
  };
}

interface Range {
  readonly least: number;
  readonly most?: number;
  readonly isInteger?: boolean;
}

export function outOfRange(
  param: string,
  value: unknown,
  { least, most = Infinity, isInteger }: Range,
): Problem | null {
  if (value === undefined || value === null) return null;
  const kind = isInteger === true ? 'integer' : 'decimal';
  if (isInteger === true && !Number.isInteger(value)) {
    const message = `Invalid type for '${param}': expected an integer, but got a decimal number instead.`;
    return { message, param, code: 'invalid_type' };
  }
  if (Number(value) < least) {
    const message = `Invalid '${param}': ${kind} below minimum value. Expected a value >= ${least}, but got ${value} instead.`;
    return { message, param, code: `${kind}_below_min_value` };
  }
  if (Number(value) <= most) return null;
  const message = `Invalid '${param}': ${kind} above maximum value. Expected a value <= ${most}, but got ${value} instead.`;
  return { message, param, code: `${kind}_above_max_value` };
}
