/**
 * Compiles the pattern of a schema. JSON Schema has the regular expressions of ECMAScript, but schemas are often
 * written by libraries of Python or Go, whose own syntax ECMAScript refuses (`(?P<year>...)`), or reads as something
 * else: `\A` without the flag `u` is the letter A, and no answer would ever fit. What both can say is translated.
 */

const FLAGS = /^\(\?([aimsuL]+)\)/;
/** Flags of Python that ECMAScript has, too; the others are about bytes and locales. */
const SHARED_FLAGS = /[ims]/g;

/** An escape, a class, or what is written differently. The first alternatives keep what must not be changed. */
const TOKENS = /\\[AZz]|\\[\s\S]|\[\^?\]?(?:\\[\s\S]|[^\]\\])*\]|\(\?P[<=]|\(\?#[^)]*\)|\{,(?=\d+\})/g;

const TRANSLATIONS: Readonly<Record<string, string>> = {
  '\\A': '^',
  '\\Z': '$',
  '\\z': '$',
  '(?P<': '(?<',
  '{,': '{0,',
};

/** @throws SyntaxError */
export function toPattern(source: string, flags: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch {
    const { pattern, more } = translated(source);
    return compiled(pattern, more, flags);
  }
}

/** Vendors take escapes such as `\_`, which are an error in a pattern of Unicode characters. */
function compiled(pattern: string, more: string, flags: string): RegExp {
  try {
    return new RegExp(pattern, flags + more);
  } catch {
    return new RegExp(pattern, more);
  }
}

function translated(source: string): { readonly pattern: string; readonly more: string } {
  const [leading = '', names = ''] = FLAGS.exec(source) ?? [];
  const more = [...new Set(names.match(SHARED_FLAGS) ?? [])].join('');
  const pattern = source
    .slice(leading.length)
    .replace(/\(\?P=(\w+)\)/g, '\\k<$1>')
    .replace(TOKENS, (token) => (token.startsWith('(?#') ? '' : (TRANSLATIONS[token] ?? token)));
  return { pattern, more };
}
