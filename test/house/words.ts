/** The word list of CONTRIBUTING.md: English that has to be deciphered, and what to write instead. */
import { parseSync, Visitor } from 'oxc-parser';
import { lineAt } from './line-at.ts';

export const MAX_PROSE_COLUMNS = 120;

interface BannedWord {
  readonly pattern: RegExp;
  readonly instead: string;
}

const BANNED_WORDS: readonly BannedWord[] = [
  { pattern: /\btold\b/i, instead: 'say who sends what: "receives", "learns", "is notified"' },
  { pattern: /\banew\b/i, instead: 'again, from the start' },
  { pattern: /\bwhoever\b/i, instead: 'the caller, the process, the user' },
  { pattern: /\bsomebody\b/i, instead: 'a user, a caller, another process' },
  { pattern: /\bshall\b/i, instead: 'must, should, will' },
  { pattern: /\b(?:take[ns]?|taking|took) up\b/i, instead: 'resume, reattach' },
  { pattern: /\b(?:goe?s?|going|went|gone) on\b/i, instead: 'continue, resume' },
  { pattern: /\bof (?:its|their|his) own\b/i, instead: 'its own …, separate' },
  { pattern: /\bfor so long\b/i, instead: 'for that time; name the limit' },
  { pattern: /\blikeness\b/i, instead: 'similarity' },
  { pattern: /\bin plain sight\b/i, instead: 'name the event that shows it' },
  { pattern: /\b(?:is|are|was|were) away\b/i, instead: 'unreachable, down' },
  { pattern: /\bno more than that\b/i, instead: 'only that' },
  { pattern: /\bnobody (?:else|shall)\b/i, instead: 'no other process, no other caller' },
  { pattern: /\bby (?:itself|himself) again\b/i, instead: 'automatically' },
  { pattern: /\b(?:he|him|his|himself)\b/i, instead: 'it; a person is "they"' },
];

/** Names that say how a thing arrived, not what it is. */
const BANNED_NAMES: ReadonlySet<string> = new Set([
  'told',
  'given',
  'goOn',
  'said',
  'asked',
  'one',
  'bell',
  'piece',
  'anew',
]);

/** Strings there are vocabulary or test prompts: data, not prose. Their comments are checked. */
const VOCABULARIES: readonly string[] = [
  'engine/cache/verifier/',
  'engine/compression/words.ts',
  'tools/simulator/text/common-words.ts',
  'test/engine/cache/',
];

/** Checks the comments and the sentences in strings of a source file, and the prose of a Markdown file. */
export function bannedWords(path: string, source: string): string[] {
  const texts = path.endsWith('.md')
    ? [{ text: markdownProse(path, source), start: 0 }]
    : proseOf(path, source);
  return texts.flatMap(({ text, start }) =>
    BANNED_WORDS.flatMap(({ pattern, instead }) =>
      [...text.matchAll(new RegExp(pattern, 'gi'))].map(
        ({ 0: word, index }) => `${path}:${lineAt(source, start + index)}: "${word}" (better: ${instead})`,
      ),
    ),
  );
}

/** Markdown without its code; the word list itself, a table, names the words that it bans. */
function markdownProse(path: string, source: string): string {
  const withoutCode = source.replace(/```[\s\S]*?```|`[^`\n]*`/g, (code) => code.replace(/[^\n]/g, ' '));
  return path === 'CONTRIBUTING.md' ? withoutCode.replace(/^\|.*$/gm, '') : withoutCode;
}

interface Prose {
  readonly text: string;
  readonly start: number;
}

function proseOf(path: string, source: string): Prose[] {
  const { program, comments } = parseSync(path, source);
  const prose: Prose[] = comments.map(({ start, end }) => ({ text: source.slice(start, end), start }));
  if (VOCABULARIES.some((folder) => path.startsWith(folder))) return prose;
  const add = (start: number, end: number) => {
    const text = source.slice(start, end);
    // A word without a space is a key, a name or a path.
    if (/\w \w/.test(text)) prose.push({ text, start });
  };
  new Visitor({
    Literal: ({ value, start, end }) => {
      if (typeof value === 'string') add(start, end);
    },
    TemplateElement: ({ start, end }) => add(start, end),
    JSXText: ({ start, end }) => add(start, end),
  }).visit(program);
  return prose;
}

/** Variables, parameters and functions that bear a banned name. */
export function bannedNames(path: string, source: string): string[] {
  const broken: string[] = [];
  const check = (node: unknown) => {
    if (typeof node !== 'object' || node === null || !('type' in node)) return;
    if (node.type === 'Identifier' && 'name' in node && 'start' in node) {
      if (BANNED_NAMES.has(String(node.name))) {
        broken.push(`${path}:${lineAt(source, Number(node.start))}: the name "${node.name}"`);
      }
      return;
    }
    for (const key of ['elements', 'properties', 'value', 'left', 'argument', 'parameter'] as const) {
      const inner = (node as Record<string, unknown>)[key];
      for (const child of Array.isArray(inner) ? inner : [inner]) check(child);
    }
  };
  const checkFunction = ({ params, id }: { params: readonly unknown[]; id?: unknown }) => {
    check(id);
    params.forEach(check);
  };
  new Visitor({
    VariableDeclarator: ({ id }) => check(id),
    FunctionDeclaration: checkFunction,
    FunctionExpression: checkFunction,
    ArrowFunctionExpression: checkFunction,
  }).visit(parseSync(path, source).program);
  return broken;
}

/** Lines of prose that are too long to read raw or in a diff: comments, and Markdown outside of tables and code. */
export function longProse(path: string, source: string): string[] {
  let isCode = false;
  return source.split('\n').flatMap((line, index) => {
    if (path.endsWith('.md') && line.startsWith('```')) isCode = !isCode;
    const isProse = path.endsWith('.md')
      ? !isCode && !line.startsWith('|') && !/\]\(\S+\)|<\w/.test(line)
      : /^\s*(?:\/\/|\/?\*)/.test(line);
    const isTooLong = isProse && line.length > MAX_PROSE_COLUMNS && !/https?:\/\/\S{60}/.test(line);
    return isTooLong ? [`${path}:${index + 1}: ${line.length} columns of prose`] : [];
  });
}
