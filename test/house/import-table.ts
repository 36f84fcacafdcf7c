/** Who may import whom: ARCHITECTURE.md's tables, and the check of one file against them. */
import { posix } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';

interface Row {
  /** Folders whose values may be imported, besides the folder itself. */
  readonly values: readonly string[];
  /** Folders of which only types may be imported. */
  readonly types: readonly string[];
}

/** Shelves: the folders at the root. */
export const IMPORT_TABLE: Readonly<Record<string, Row>> = {
  contracts: { values: [], types: [] },
  platform: { values: ['contracts'], types: [] },
  engine: { values: ['contracts', 'platform'], types: [] },
  activities: { values: ['contracts'], types: ['engine'] },
  workflows: { values: ['contracts'], types: ['activities'] },
  worker: { values: ['contracts', 'platform', 'engine', 'activities', 'workflows', 'api'], types: [] },
  api: { values: ['contracts', 'platform', 'engine'], types: ['workflows'] },
  clients: { values: ['contracts'], types: [] },
};

/** Folders of a shelf: what each may import from its neighbours there. */
export const FOLDER_TABLES: Readonly<Record<string, Readonly<Record<string, Row>>>> = {
  platform: {
    '': { values: [], types: [] },
    config: { values: [], types: [] },
    redis: { values: [''], types: ['config'] },
    temporal: { values: [], types: [] },
    encryption: { values: [''], types: ['config'] },
    'object-store': { values: [''], types: ['config'] },
    threads: { values: [''], types: [] },
  },
  engine: {
    models: { values: [], types: [] },
    'vendor-errors': { values: [], types: [] },
    providers: { values: ['models', 'vendor-errors'], types: [] },
    streaming: { values: [], types: [] },
    archive: { values: ['streaming'], types: ['budget'] },
    erasure: {
      values: [],
      types: [
        'archive',
        'batches',
        'cache',
        'conversations',
        'files',
        'jobs',
        'prompts',
        'streaming',
        'webhooks',
      ],
    },
    handoff: { values: [], types: ['streaming'] },
    leases: { values: [], types: [] },
    routing: { values: [], types: [] },
    reasoning: { values: [], types: ['providers'] },
    compaction: { values: ['reasoning'], types: [] },
    budget: { values: [], types: [] },
    embedding: { values: [], types: [] },
    cache: { values: ['embedding', 'models'], types: [] },
    compression: { values: [], types: [] },
    versions: { values: [], types: [] },
    prompts: { values: ['versions'], types: [] },
    jobs: { values: ['versions'], types: ['prompts', 'streaming'] },
    files: { values: [], types: [] },
    batches: { values: [], types: ['jobs'] },
    conversations: { values: [], types: [] },
    output: { values: [], types: [] },
    webhooks: { values: ['reasoning'], types: [] },
    telemetry: {
      values: [],
      types: [
        'providers',
        'cache',
        'embedding',
        'budget',
        'streaming',
        'routing',
        'handoff',
        'prompts',
        'batches',
      ],
    },
  },
  clients: {
    typescript: { values: [], types: [] },
    web: { values: ['typescript'], types: [] },
    edge: { values: ['typescript'], types: [] },
  },
};

/** The worker alone calls providers: the API holds no vendor's key. */
const CLOSED_TO_THE_API: readonly string[] = ['providers', 'compression', 'embedding'];

/** All that a worker takes of the API: how generations, jobs and lines of batches are submitted. */
const OPEN_TO_THE_WORKER: readonly string[] = ['generations', 'jobs', 'batches'];

/** Programs and tests: they may import what they like, and nothing of the table may import them. */
export const FREE_FOLDERS: ReadonlySet<string> = new Set(['bin', 'tools', 'examples', 'test']);

const WORKFLOW_PACKAGES: ReadonlySet<string> = new Set(['@temporalio/workflow', '@temporalio/common']);

interface Import {
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
  const add = (request: string, { isTypeOnly }: { readonly isTypeOnly: boolean }) => {
    const isLocal = request.startsWith('.');
    const target = isLocal ? posix.normalize(posix.join(posix.dirname(path), request)) : request;
    found.push({ target, isLocal, isTypeOnly });
  };
  // `import { type A }` still loads the module when only types are stripped; `import type` does not.
  for (const { moduleRequest, start, end } of module.staticImports) {
    add(moduleRequest.value, { isTypeOnly: /^import\s+type\b/.test(source.slice(start, end)) });
  }
  for (const { entries, start, end } of module.staticExports) {
    const request = entries.find(({ moduleRequest }) => moduleRequest !== null)?.moduleRequest;
    if (request) add(request.value, { isTypeOnly: /^export\s+type\b/.test(source.slice(start, end)) });
  }
  for (const { moduleRequest } of module.dynamicImports) {
    const written = source.slice(moduleRequest.start, moduleRequest.end);
    const request = /^'[^']*'$|^"[^"]*"$/.test(written)
      ? written.slice(1, -1)
      : `a computed path: ${written}`;
    add(request, { isTypeOnly: false });
  }
  new Visitor({ TSImportType: ({ source: from }) => add(from.value, { isTypeOnly: true }) }).visit(program);
  return found;
}

/** What one file breaks, in words; empty where it keeps to the tables. */
export function violationsOf(path: string, source: string): string[] {
  const shelf = shelfOf(path);
  if (FREE_FOLDERS.has(shelf)) return [];
  const row = Object.hasOwn(IMPORT_TABLE, shelf) ? IMPORT_TABLE[shelf] : undefined;
  if (row === undefined) return [`${path}: the folder "${shelf}" is not in the import table`];
  const folders = FOLDER_TABLES[shelf];
  const folderRow = folders?.[folderOf(path)];
  if (folders !== undefined && folderRow === undefined) {
    return [`${path}: the folder "${shelf}/${folderOf(path)}" is not in the table of ${shelf}/`];
  }
  return importsOf(path, source).flatMap((imported) => {
    const reason = imported.isLocal
      ? localViolation(path, imported, { row, folderRow })
      : packageViolation(path, imported);
    return reason === null ? [] : [`${path}: ${reason}`];
  });
}

function localViolation(
  path: string,
  { target, isTypeOnly }: Import,
  { row, folderRow }: { row: Row; folderRow: Row | undefined },
): string | null {
  const [from, to] = [shelfOf(path), shelfOf(target)];
  if (from === 'api' && to === 'engine' && CLOSED_TO_THE_API.includes(folderOf(target))) {
    return `api/ may not import from engine/${folderOf(target)}/, but takes ${target}`;
  }
  if (from === 'worker' && to === 'api' && !OPEN_TO_THE_WORKER.includes(folderOf(target))) {
    return `worker/ may import only ${OPEN_TO_THE_WORKER.map((name) => `api/${name}/`).join(' and ')} of api/, but takes ${target}`;
  }
  if (from !== to) return violationOf({ row, from, to, target, isTypeOnly });
  if (folderRow === undefined || folderOf(path) === folderOf(target)) return null;
  const names = { from: `${from}/${folderOf(path)}`, to: folderOf(target) };
  return violationOf({ row: folderRow, ...names, target, isTypeOnly });
}

interface Arrow {
  readonly row: Row;
  readonly from: string;
  readonly to: string;
  readonly target: string;
  readonly isTypeOnly: boolean;
}

function violationOf({ row, from, to, target, isTypeOnly }: Arrow): string | null {
  if (row.values.includes(to) || (isTypeOnly && row.types.includes(to))) return null;
  if (row.types.includes(to))
    return `${from}/ may import only types from ${to}/, but takes a value of ${target}`;
  return `${from}/ may not import from ${to}/, but takes ${isTypeOnly ? 'a type' : 'a value'} of ${target}`;
}

function packageViolation(path: string, { target, isTypeOnly }: Import): string | null {
  const shelf = shelfOf(path);
  if (shelf === 'workflows' && !WORKFLOW_PACKAGES.has(target)) {
    return `workflows/ may import no package but ${[...WORKFLOW_PACKAGES].join(' and ')}, but takes ${target}`;
  }
  // Workflows load the contracts, and a workflow has no Node.
  if (shelf === 'contracts' && (target.startsWith('node:') || target.startsWith('@temporalio/'))) {
    return `contracts/ must run anywhere, but takes ${target}`;
  }
  // What a build.ts takes, only the build sees; the page and the package are checked without Node's types.
  const isBuild = folderOf(path) === 'web' || path === 'clients/typescript/build.ts';
  if (shelf === 'clients' && !isBuild && target.startsWith('node:') && !isTypeOnly) {
    return `clients/ must run without Node, but takes ${target}`;
  }
  return null;
}

/** The name of the package of an import, such as `@temporalio/client`; null for Node's own and local files. */
export function packageOf({ target, isLocal }: Import): string | null {
  if (isLocal || target.startsWith('node:')) return null;
  return target.split('/', target.startsWith('@') ? 2 : 1).join('/');
}

function shelfOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] ?? '') : '(root)';
}

/** The folder below the shelf; empty for a file that stands on the shelf itself. */
function folderOf(path: string): string {
  const parts = path.split('/');
  return parts.length > 2 ? (parts[1] ?? '') : '';
}
