/** The pages of the documentation site by topic: its sidebar. A page of docs/ without a topic here is under "More". */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

interface SitePage {
  /** Below `/docs/`; empty for the first page. */
  readonly path: string;
  /** A Markdown file of the repository, from its root; undefined for a page that `generated-pages.ts` writes. */
  readonly source?: string;
  readonly title: string;
}

interface SiteSection {
  readonly title: string;
  readonly pages: readonly SitePage[];
  readonly isCollapsed?: boolean;
}

/** Pages that are written from something else than Markdown. */
export const GENERATED = { config: 'configuration', http: 'http-api', errors: 'errors/index' } as const;

const TOPICS: readonly SiteSection[] = [
  {
    title: 'Start',
    pages: [
      { path: 'index', source: 'README.md', title: 'What it is' },
      ofDocs('installation', 'What npm start installs'),
      ofDocs('page', 'The page'),
      ofDocs('cli', 'The command line'),
      { path: 'examples', source: 'examples/README.md', title: 'Examples' },
    ],
  },
  {
    title: 'Integrate',
    pages: [
      ofDocs('in-front-of-my-app', 'In front of your app'),
      ofDocs('migrate-from-litellm', 'Migrate from LiteLLM'),
      ofDocs('agents', 'Agents and frameworks'),
      ofDocs('wires', 'APIs of other vendors'),
      ofDocs('wires-fields', 'What becomes of each field'),
      ofDocs('vendor-rules', 'The rules of the vendors'),
      { path: 'clients/typescript', source: 'clients/typescript/README.md', title: 'TypeScript and React' },
      { path: 'clients/python', source: 'clients/python/README.md', title: 'Python' },
      { path: 'clients/edge', source: 'clients/edge/README.md', title: 'Edge relay' },
      ofDocs('proxies', 'Behind a proxy'),
    ],
  },
  {
    title: 'Use',
    pages: [
      ofDocs('providers', 'Providers and models'),
      ofDocs('routing', 'Routing'),
      ofDocs('prompts', 'Prompts'),
      ofDocs('structured-output', 'Structured output'),
      ofDocs('webhooks', 'Webhooks'),
      ofDocs('jobs', 'Pipelines and jobs'),
      ofDocs('batches', 'Batches and files'),
      ofDocs('schedules', 'Schedules'),
      ofDocs('budgets', 'Budgets'),
      ofDocs('usage', 'Usage and cost'),
      ofDocs('semantic-cache', 'Semantic cache'),
      ofDocs('prompt-caching', 'Prompt caching'),
    ],
  },
  {
    title: 'Operate',
    pages: [
      ofDocs('what-survives-what', 'What survives what'),
      ofDocs('operations', 'Operations'),
      ofDocs('operations-redis', 'Redis'),
      ofDocs('cluster', 'Clusters and hosted services'),
      ofDocs('security', 'Security'),
      ofDocs('erasure', 'Erasure and retention'),
      ofDocs('scale', 'Scale'),
      ofDocs('crash-matrix', 'The crash matrix'),
    ],
  },
  {
    title: 'Reference',
    pages: [
      { path: 'protocol', source: 'PROTOCOL.md', title: 'Protocol' },
      { path: GENERATED.http, title: 'HTTP API' },
      { path: GENERATED.config, title: 'Configuration' },
      ofDocs('provider-errors', "Providers' errors"),
      { path: 'architecture', source: 'ARCHITECTURE.md', title: 'Architecture' },
      { path: 'contributing', source: 'CONTRIBUTING.md', title: 'Contributing' },
    ],
  },
];

export const SITE: readonly SiteSection[] = [
  ...TOPICS,
  ...unlisted(),
  { title: 'Decisions', isCollapsed: true, pages: decisions() },
  { title: 'Error pages', isCollapsed: true, pages: errorPages() },
];

export const ALL_PAGES: readonly SitePage[] = SITE.flatMap(({ pages }) => pages);

function ofDocs(name: string, title: string): SitePage {
  return { path: name, source: `docs/${name}.md`, title };
}

function unlisted(): SiteSection[] {
  const listed = new Set(TOPICS.flatMap(({ pages }) => pages.map(({ source }) => source)));
  const others = markdownIn('docs').filter((name) => !listed.has(`docs/${name}.md`));
  const pages = others.map((name) => ofDocs(name, headingOf(`docs/${name}.md`)));
  return pages.length === 0 ? [] : [{ title: 'More', pages }];
}

function decisions(): SitePage[] {
  const folder = 'docs/decisions';
  const pages = markdownIn(folder).filter((name) => name !== 'README');
  return [
    { path: 'decisions/index', source: `${folder}/README.md`, title: 'All decisions' },
    ...pages.map((name) => {
      const source = `${folder}/${name}.md`;
      return { path: `decisions/${name}`, source, title: headingOf(source) };
    }),
  ];
}

function errorPages(): SitePage[] {
  return [
    { path: GENERATED.errors, title: 'All error codes' },
    ...markdownIn('docs/errors').map((code) => ({
      path: `errors/${code}`,
      source: `docs/errors/${code}.md`,
      title: code,
    })),
  ];
}

/** The Markdown files of a folder without their ending, sorted. */
function markdownIn(folder: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => name.slice(0, -'.md'.length))
    .sort();
}

function headingOf(source: string): string {
  return /^# (.+)$/m.exec(readFileSync(join(ROOT, source), 'utf8'))?.[1] ?? source;
}
