/** Problems of types in Anthropic's words, which are those of Pydantic. */
import type { TypeProblem } from './check-types.ts';
import { fieldsOf } from './json-values.ts';
import type { Problem } from './rule.ts';

const KINDS: Readonly<Record<string, string>> = {
  string: 'valid string',
  number: 'valid integer',
  boolean: 'valid boolean',
  array: 'valid list',
  object: 'valid dictionary',
  null: 'None',
};

export function inAnthropicWords(problem: TypeProblem, body: unknown): Problem {
  const place = placeOf(problem.path, body);
  switch (problem.kind) {
    case 'unknown':
      return { message: `${place}: Extra inputs are not permitted` };
    case 'missing':
      return { message: `${place}: Field required` };
    case 'type': {
      const expected = problem.expected.map((kind) => KINDS[kind] ?? kind).join(' or ');
      return { message: `${place}: Input should be a ${expected}` };
    }
    case 'value': {
      const quoted = problem.allowed.map((value) => `'${value}'`);
      if (problem.path.at(-1) === 'type') {
        const holder = placeOf(problem.path.slice(0, -1), body, { isTagged: false });
        const found = `Input tag '${problem.value}' found using 'type' does not match any of the expected tags`;
        return { message: `${holder}: ${found}: ${quoted.join(', ')}` };
      }
      const last = quoted.length > 1 ? ` or ${quoted.at(-1)}` : '';
      const listed = quoted.length > 1 ? quoted.slice(0, -1).join(', ') : quoted.join();
      return { message: `${place}: Input should be ${listed}${last}` };
    }
  }
}

/** `messages.0.content.1.text.cache_control`: a member of a union stands in it by its type. */
function placeOf(path: TypeProblem['path'], body: unknown, { isTagged } = { isTagged: true }): string {
  const words: (string | number)[] = [];
  let held: unknown = body;
  for (const [depth, key] of path.entries()) {
    held = (held as Record<string | number, unknown> | null)?.[key];
    words.push(key);
    const isInner = depth < path.length - 1;
    const { type, name } = fieldsOf(held);
    if (!isInner || !isTagged || typeof key !== 'number') continue;
    if (path[depth - 1] === 'content') words.push(String(type ?? ''));
    if (path[depth - 1] === 'tools' && name !== undefined) words.push(String(type ?? 'custom'));
  }
  return words.filter((word) => word !== '').join('.');
}
