/** Reads what a process shows to Prometheus, and what dashboards and alerts ask for. */

export interface Exported {
  /** Names by type, as the `# TYPE` lines say. */
  readonly types: ReadonlyMap<string, string>;
  /** Names of the labels that series of this name have; only of those that have a series. */
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>;
}

export function readExported(text: string): Exported {
  const types = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\w+)$/gm)].map(([, name = '', type = '']) => [name, type]),
  );
  const labels = new Map<string, Set<string>>();
  for (const [, name = '', inner = ''] of text.matchAll(/^([a-z_]\w*)\{([^\n]*)\} /gm)) {
    const found = labels.get(name) ?? new Set();
    for (const [, label = ''] of inner.matchAll(/(\w+)="/g)) found.add(label);
    labels.set(name, found);
  }
  return { types, labels };
}

/** The metrics of a PromQL expression, each with the labels that its selector and the aggregations around it name. */
function askedFor(expression: string): { readonly name: string; readonly labels: readonly string[] }[] {
  const grouped = [...expression.matchAll(/\bby\s*\(([^)]*)\)/g)].flatMap(([, names = '']) =>
    names.split(','),
  );
  const bare = expression.replaceAll(/\bby\s*\([^)]*\)/g, ' ').replaceAll(/\[[^\]]*\]/g, ' ');
  return [...bare.matchAll(/\b([a-z_]\w*)\b(\{[^}]*\})?(?!\s*\()/g)]
    .filter(([, name, selector]) => selector !== undefined || !isInSelector(bare, name ?? ''))
    .map(([, name = '', selector = '']) => ({
      name,
      labels: [...selector.matchAll(/(\w+)\s*[=!]/g), ...grouped.map((label) => ['', label.trim()])]
        .map(([, label = '']) => label)
        .filter((label) => label !== '' && !GIVEN.has(label)),
    }));
}

/** Labels that Prometheus itself adds, or that a histogram always has. */
const GIVEN: ReadonlySet<string> = new Set(['job', 'instance', 'le', 'namespace', 'pod']);

function isInSelector(expression: string, word: string): boolean {
  return !new RegExp(`\\b${word}\\b`).test(expression.replaceAll(/\{[^}]*\}|"[^"]*"/g, ' '));
}

/** What of an expression no process exports, in words; empty where all is there. */
export function missingIn(expression: string, { types, labels }: Exported): string[] {
  return askedFor(expression).flatMap(({ name, labels: wanted }) => {
    if (name === 'up') return [];
    const base = name.replace(/_(?:bucket|sum|count)$/, '');
    const isPart = base !== name && types.get(base) === 'histogram';
    if (!isPart && !types.has(name)) return [`${name} is not exported`];
    const known = labels.get(name);
    return known === undefined
      ? []
      : wanted.filter((label) => !known.has(label)).map((label) => `${name} has no label ${label}`);
  });
}
