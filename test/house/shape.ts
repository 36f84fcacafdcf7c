/** House rules on the shape of code that no linter has: each gives what one file breaks, in words. */
import { parseSync, Visitor } from 'oxc-parser';
import { importsOf } from './import-table.ts';
import { lineAt } from './line-at.ts';

export const MAX_FUNCTION_LINES = 70;
export const MAX_PARAMETERS = 4;

interface FunctionNode {
  readonly start: number;
  readonly end: number;
  readonly params: readonly unknown[];
}

/** A suite of tests is a list; nobody has to hold all of it in mind at once. */
const isTest = (path: string) => path.endsWith('.test.ts');

export function longFunctions(path: string, source: string): string[] {
  if (isTest(path)) return [];
  const broken: string[] = [];
  eachFunction(path, source, ({ start, end }) => {
    const lines = lineAt(source, end) - lineAt(source, start) + 1;
    if (lines > MAX_FUNCTION_LINES)
      broken.push(`${path}:${lineAt(source, start)}: a function of ${lines} lines`);
  });
  return broken;
}

export function manyParameters(path: string, source: string): string[] {
  const broken: string[] = [];
  eachFunction(path, source, ({ params, start }) => {
    if (params.length > MAX_PARAMETERS) {
      broken.push(`${path}:${lineAt(source, start)}: ${params.length} positional parameters`);
    }
  });
  return broken;
}

function eachFunction(path: string, source: string, visit: (node: FunctionNode) => void): void {
  const { program } = parseSync(path, source);
  new Visitor({
    FunctionDeclaration: visit,
    FunctionExpression: visit,
    ArrowFunctionExpression: visit,
  }).visit(program);
}

/**
 * `...{ a, b }` in an object and `...[a, b]` in an array only outwit the formatter, and hide keys from the compiler.
 */
export function literalSpreads(path: string, source: string): string[] {
  const broken: string[] = [];
  const check = (
    elements: readonly ({ type: string; argument?: unknown; start: number } | null)[],
    kind: string,
  ) => {
    for (const element of elements) {
      if (element?.type !== 'SpreadElement') continue;
      if (literalKind(element.argument) === kind) {
        broken.push(`${path}:${lineAt(source, element.start)}: the spread of a literal`);
      }
    }
  };
  new Visitor({
    ObjectExpression: ({ properties }) => check(properties, 'ObjectExpression'),
    ArrayExpression: ({ elements }) => check(elements, 'ArrayExpression'),
  }).visit(parseSync(path, source).program);
  return broken;
}

/** The type of an expression beneath parentheses and assertions. */
function literalKind(node: unknown): string | null {
  if (typeof node !== 'object' || node === null || !('type' in node) || typeof node.type !== 'string')
    return null;
  const isWrapped = node.type === 'ParenthesizedExpression' || node.type.startsWith('TS');
  return isWrapped && 'expression' in node ? literalKind(node.expression) : node.type;
}

/** Where the boolean is itself the value. */
const TAKES_VALUES = /^(?:set|reduce|option|constantFrom|orNone)$/;

/** `find(id, true)` says nothing: an option has a name. */
export function bareBooleans(path: string, source: string): string[] {
  const broken: string[] = [];
  const check = ({ callee, arguments: passed, start }: Call) => {
    if (passed.length < 2 || TAKES_VALUES.test(nameOf(callee))) return;
    if (passed.some((argument) => argument.type === 'Literal' && typeof argument.value === 'boolean')) {
      broken.push(`${path}:${lineAt(source, start)}: a boolean without a name`);
    }
  };
  new Visitor({ CallExpression: check, NewExpression: check }).visit(parseSync(path, source).program);
  return broken;
}

interface Call {
  readonly callee: object;
  readonly arguments: readonly { readonly type: string; readonly value?: unknown }[];
  readonly start: number;
}

/** The name of what is called, without the object that has it. */
function nameOf(callee: object): string {
  const named = 'property' in callee ? callee.property : callee;
  const isNamed = typeof named === 'object' && named !== null && 'name' in named;
  return isNamed ? String(named.name) : '';
}

interface SourceFile {
  readonly path: string;
  readonly source: string;
}

/** Files that import each other, as one closed path per circle. Imports of types count: they tie files just as much. */
export function importCycles(files: readonly SourceFile[]): string[] {
  const targets = new Map(
    files.map(({ path, source }) => [
      path,
      importsOf(path, source)
        .filter(({ isLocal }) => isLocal)
        .map(({ target }) => target),
    ]),
  );
  const done = new Set<string>();
  const cycles = new Set<string>();
  const follow = (path: string, trail: readonly string[]) => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      const circle = trail.slice(at);
      const first = circle.indexOf([...circle].sort()[0] ?? '');
      cycles.add([...circle.slice(first), ...circle.slice(0, first)].join(' -> '));
      return;
    }
    if (done.has(path)) return;
    for (const target of targets.get(path) ?? []) follow(target, [...trail, path]);
    done.add(path);
  };
  for (const path of targets.keys()) follow(path, []);
  return [...cycles].sort();
}

/**
 * Exports that no other file imports. `entryPoints` are imported from outside; the request schemas of the API are
 * loaded by the test that walks all of them.
 */
export function unusedExports(files: readonly SourceFile[], entryPoints: readonly string[]): string[] {
  const imported = new Set<string>();
  for (const { path, source } of files) {
    for (const { target, name } of importedNames(path, source)) imported.add(`${target}#${name}`);
  }
  return files.flatMap(({ path, source }) => {
    if (entryPoints.includes(path) || imported.has(`${path}#*`)) return [];
    return exportedNames(path, source)
      .filter((name) => !imported.has(`${path}#${name}`))
      .filter((name) => !(path.startsWith('api/') && name.endsWith('Schema')))
      .map((name) => `${path}: nothing imports ${name}`);
  });
}

function exportedNames(path: string, source: string): string[] {
  return parseSync(path, source).module.staticExports.flatMap(({ entries }) =>
    entries
      .filter(({ moduleRequest }) => moduleRequest === null)
      .map(({ exportName }) => exportName.name)
      .filter((name) => name !== null && name !== undefined),
  );
}

function importedNames(path: string, source: string): { target: string; name: string }[] {
  const { module, program } = parseSync(path, source);
  const names: { target: string; name: string }[] = [];
  const resolve = (request: string) => importsOf(path, `import '${request}';`)[0]?.target ?? request;
  for (const { moduleRequest, entries } of module.staticImports) {
    for (const { importName } of entries) {
      names.push({
        target: resolve(moduleRequest.value),
        name: importName.name ?? (importName.kind === 'Default' ? 'default' : '*'),
      });
    }
  }
  for (const { entries } of module.staticExports) {
    for (const { moduleRequest, importName } of entries) {
      if (moduleRequest) names.push({ target: resolve(moduleRequest.value), name: importName.name ?? '*' });
    }
  }
  for (const { moduleRequest } of module.dynamicImports) {
    const written = source.slice(moduleRequest.start + 1, moduleRequest.end - 1);
    if (written.startsWith('.')) names.push({ target: resolve(written), name: '*' });
  }
  // Workflow types are named by `typeof import('…')` and by file in Temporal's bundles.
  new Visitor({
    TSImportType: ({ source: from }) => names.push({ target: resolve(from.value), name: '*' }),
  }).visit(program);
  return names;
}
