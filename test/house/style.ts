/** House rules that no linter has: each gives what one file breaks, in words. */
import { posix } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { lineAt } from './line-at.ts';

export const MAX_LINES = 400;

/** Programs, tools and tests may read the environment; everything else gets its settings from platform/config/. */
const READS_ENVIRONMENT: readonly string[] = ['platform/config/', 'bin/', 'tools/', 'examples/', 'test/'];

/** Names that say nothing of what is in the file. */
const EMPTY_NAMES: ReadonlySet<string> = new Set([
  'utils',
  'util',
  'helpers',
  'helper',
  'manager',
  'misc',
  'common',
]);

/** A relay deployed to its own platform learns its origin from nothing but the environment there. */
const DEPLOYED_ALONE = 'clients/edge/vercel/';

export function environmentReads(path: string, source: string): string[] {
  if (path.startsWith(DEPLOYED_ALONE)) return [];
  if (READS_ENVIRONMENT.some((folder) => path.startsWith(folder))) return [];
  const found: string[] = [];
  const report = (start: number) => found.push(`${path}:${lineAt(source, start)}: reads process.env`);
  new Visitor({
    MemberExpression: ({ object, property, start }) => {
      const name =
        property.type === 'Identifier' ? property.name : 'value' in property ? property.value : null;
      if (object.type === 'Identifier' && object.name === 'process' && name === 'env') report(start);
    },
    ImportDeclaration: ({ source: from, specifiers, start }) => {
      if (from.value !== 'node:process' && from.value !== 'process') return;
      const isEnvironment = specifiers.some(
        (specifier) =>
          specifier.type !== 'ImportSpecifier' ||
          ('name' in specifier.imported && specifier.imported.name === 'env'),
      );
      if (isEnvironment) report(start);
    },
  }).visit(parseSync(path, source).program);
  return found;
}

/** A `catch` that is empty, or holds but a comment: nobody learns of the error. */
export function emptyCatches(path: string, source: string): string[] {
  const found: string[] = [];
  const isEmptyFunction = (node: { type: string; body?: unknown } | undefined) =>
    (node?.type === 'ArrowFunctionExpression' || node?.type === 'FunctionExpression') &&
    typeof node.body === 'object' &&
    node.body !== null &&
    'type' in node.body &&
    (node.body.type === 'BlockStatement' || node.body.type === 'FunctionBody') &&
    'body' in node.body &&
    Array.isArray(node.body.body) &&
    node.body.body.length === 0;
  new Visitor({
    CatchClause: ({ body, start }) => {
      if (body.body.length === 0) found.push(`${path}:${lineAt(source, start)}: an empty catch`);
    },
    CallExpression: ({ callee, arguments: values, start }) => {
      const isCatch =
        callee.type === 'MemberExpression' &&
        callee.property.type === 'Identifier' &&
        callee.property.name === 'catch';
      if (isCatch && isEmptyFunction(values[0])) {
        found.push(`${path}:${lineAt(source, start)}: an empty .catch()`);
      }
    },
  }).visit(parseSync(path, source).program);
  return found;
}

export function tooLong(path: string, source: string): string[] {
  const lines = source.trimEnd().split('\n').length;
  return lines > MAX_LINES ? [`${path}: ${lines} lines`] : [];
}

export function emptyName(path: string): string[] {
  return path
    .split('/')
    .map((part) => posix.parse(part).name)
    .filter((name) => EMPTY_NAMES.has(name))
    .map((name) => `${path}: the name "${name}" says nothing`);
}

/** Paths of one machine, and hosts of package mirrors. The registries that npm itself names are public. */
export function machineTraces(path: string, source: string): string[] {
  const patterns = [
    /(?<![\w.$}-])\/(?:home|Users|root|work|mnt|private)\/[\w.-]+/g,
    /(?<![\w.$}-])\/tmp\/[a-z]\w*\//g,
    /https?:\/\/[^\s/'"]*(?:artifactory|nexus|verdaccio|codeartifact|jfrog)[^\s'"]*/gi,
  ];
  return patterns.flatMap((pattern) => [...source.matchAll(pattern)].map(([text]) => `${path}: ${text}`));
}

/** The hosts that a lock file downloads from. */
export function lockHosts(source: string): string[] {
  const hosts = [...source.matchAll(/"resolved": "(\w+:\/\/[^/"]+)/g)].map(([, host]) => host ?? '');
  return [...new Set(hosts)];
}
