/** Who may import whom: ARCHITECTURE.md's table, and the check of one file against it. */
import { posix } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';

interface Row {
  /** Folders whose values may be imported, besides the folder itself. */
  readonly values: readonly string[];
  /** Folders of which only types may be imported. */
  readonly types: readonly string[];
}

const FOLDERS = [
  'contracts',
  'config',
  'models',
  'providers',
  'threads',
  'embedding',
  'cache',
  'budget',
  'streaming',
  'handoff',
  'prompts',
  'routing',
  'encryption',
  'telemetry',
];

export const IMPORT_TABLE: Readonly<Record<string, Row>> = {
  contracts: { values: [], types: [] },
  workflows: { values: ['contracts'], types: ['activities'] },
  activities: {
    values: ['contracts'],
    types: ['providers', 'cache', 'budget', 'streaming', 'routing', 'prompts'],
  },
  models: { values: ['contracts'], types: ['config'] },
  providers: { values: ['contracts', 'models'], types: ['config'] },
  threads: { values: ['contracts'], types: [] },
  embedding: { values: [], types: [] },
  cache: { values: ['contracts', 'lua', 'threads', 'embedding'], types: ['config'] },
  budget: { values: ['contracts', 'lua'], types: ['config'] },
  streaming: { values: ['contracts', 'lua'], types: ['config'] },
  lua: { values: [], types: [] },
  handoff: { values: ['contracts', 'lua'], types: ['streaming'] },
  routing: { values: ['contracts', 'lua'], types: ['config'] },
  prompts: { values: ['contracts', 'lua', 'embedding'], types: ['config'] },
  encryption: { values: ['contracts'], types: ['config'] },
  telemetry: {
    values: ['contracts'],
    types: ['config', 'providers', 'cache', 'budget', 'streaming', 'routing', 'handoff'],
  },
  config: { values: ['contracts'], types: [] },
  worker: { values: [...FOLDERS, 'workflows', 'activities'], types: [] },
  api: {
    values: [
      ...(['contracts', 'config', 'models', 'streaming', 'budget', 'cache', 'prompts', 'routing'] as const),
      ...(['encryption', 'telemetry', 'handoff'] as const),
    ],
    types: ['workflows'],
  },
  client: { values: ['contracts'], types: [] },
  services: { values: ['contracts', 'config'], types: [] },
  web: { values: ['client', 'contracts'], types: [] },
  edge: { values: ['client', 'contracts'], types: [] },
};

/** Programs and tests: they may import what they like, and nothing of the table may import them. */
export const FREE_FOLDERS: ReadonlySet<string> = new Set(['bin', 'bench', 'deploy', 'examples', 'test']);

const WORKFLOW_PACKAGES: ReadonlySet<string> = new Set(['@temporalio/workflow', '@temporalio/common']);

export interface Import {
  /** What is imported: a path from the root, or the name of a package or Node module as it is written. */
  readonly target: string;
  readonly isLocal: boolean;
  readonly isTypeOnly: boolean;
}

/** Every import and re-export of a file, static, dynamic or in a type. A mixed import counts as one of a value. */
export function importsOf(path: string, source: string): Import[] {
  const { module, program, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const found: Import[] = [];
  const add = (request: string, isTypeOnly: boolean) => {
    const isLocal = request.startsWith('.');
    const target = isLocal ? posix.normalize(posix.join(posix.dirname(path), request)) : request;
    found.push({ target, isLocal, isTypeOnly });
  };
  // `import { type A }` still loads the module when only types are stripped; `import type` does not.
  for (const { moduleRequest, start, end } of module.staticImports) {
    add(moduleRequest.value, /^import\s+type\b/.test(source.slice(start, end)));
  }
  for (const { entries, start, end } of module.staticExports) {
    const request = entries.find(({ moduleRequest }) => moduleRequest !== null)?.moduleRequest;
    if (request) add(request.value, /^export\s+type\b/.test(source.slice(start, end)));
  }
  for (const { moduleRequest } of module.dynamicImports) {
    const written = source.slice(moduleRequest.start, moduleRequest.end);
    add(/^'[^']*'$|^"[^"]*"$/.test(written) ? written.slice(1, -1) : `a computed path: ${written}`, false);
  }
  new Visitor({ TSImportType: ({ source: from }) => add(from.value, true) }).visit(program);
  return found;
}

/** What one file breaks, in words; empty where it keeps to the table. */
export function violationsOf(path: string, source: string): string[] {
  const folder = folderOf(path);
  if (FREE_FOLDERS.has(folder)) return [];
  const row = Object.hasOwn(IMPORT_TABLE, folder) ? IMPORT_TABLE[folder] : undefined;
  if (row === undefined) return [`${path}: the folder "${folder}" is not in the import table`];
  return importsOf(path, source).flatMap((one) => {
    const reason = one.isLocal ? localViolation(folder, row, one) : packageViolation(folder, one);
    return reason === null ? [] : [`${path}: ${reason}`];
  });
}

function localViolation(folder: string, row: Row, { target, isTypeOnly }: Import): string | null {
  const to = folderOf(target);
  if (to === folder || row.values.includes(to)) return null;
  if (row.types.includes(to)) {
    return isTypeOnly ? null : `${folder}/ may import only types from ${to}/, but takes a value of ${target}`;
  }
  return `${folder}/ may not import from ${to}/, but takes ${isTypeOnly ? 'a type' : 'a value'} of ${target}`;
}

function packageViolation(folder: string, { target, isTypeOnly }: Import): string | null {
  if (folder === 'workflows' && !WORKFLOW_PACKAGES.has(target)) {
    return `workflows/ may import no package but ${[...WORKFLOW_PACKAGES].join(' and ')}, but takes ${target}`;
  }
  // Workflows load the contracts, and a workflow has no Node.
  if (folder === 'contracts' && (target.startsWith('node:') || target.startsWith('@temporalio/'))) {
    return `contracts/ must run anywhere, but takes ${target}`;
  }
  // What web/build.ts takes, only the build sees; the page itself is checked without Node's types.
  if ((folder === 'client' || folder === 'edge') && target.startsWith('node:') && !isTypeOnly) {
    return `${folder}/ must run without Node, but takes ${target}`;
  }
  return null;
}

/** The name of the package of an import, such as `@temporalio/client`; null for Node's own and local files. */
export function packageOf({ target, isLocal }: Import): string | null {
  if (isLocal || target.startsWith('node:')) return null;
  return target.split('/', target.startsWith('@') ? 2 : 1).join('/');
}

function folderOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] ?? '') : '(root)';
}
