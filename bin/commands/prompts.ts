/** `unbroken prompts`: what there is, new versions, labels, and a page of what each version costs and saves. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { formatUsd } from '../../contracts/money.ts';
import {
  type LabelTarget,
  type PromptStatsView,
  promptContentSchema,
  type VersionStats,
} from '../../contracts/prompts.ts';
import { type ConnectionFlags, connect } from './connection.ts';

export function addPromptCommands(prompts: Command): void {
  const command = (name: string, description: string) =>
    prompts.command(name).description(description).option('--json', 'print the answer of the API');
  // The options of the connection belong to `prompts` itself.
  const client = () => connect(prompts.opts<ConnectionFlags>()).prompts;

  command('list', 'the prompts and their labels').action(async ({ json }: { json?: boolean }) => {
    const all = await client().list();
    if (json) return print(all);
    for (const { name, latest, labels } of all) {
      const shown = Object.entries(labels).map(([label, target]) => `${label}=${showTarget(target)}`);
      console.log([name, `${latest} versions`, ...shown].join('\t'));
    }
  });

  command('show', 'a version of a prompt; without a number, the newest')
    .argument('<name>')
    .argument('[version]')
    .action(async (name: string, version: string | undefined) => {
      const number = version === undefined ? (await client().get(name)).latest : Number(version);
      print(await client().version(name, number));
    });

  command('add', 'add a version from a YAML or JSON file; the same content again adds nothing')
    .argument('<name>')
    .argument('<file>')
    .action(async (name: string, file: string, { json }: { json?: boolean }) => {
      const content = promptContentSchema.parse(parse(await readFile(file, 'utf8')));
      const added = await client().addVersion(name, content);
      if (json) return print(added);
      console.log(`${name}@${added.version}`);
    });

  command('label', 'point a label to a version (3), or to several by weight (3:90 4:10)')
    .argument('<name>')
    .argument('<label>')
    .argument('<target...>')
    .option('--by <unit>', 'what keeps its version: user or generation', 'user')
    .action(async (name: string, label: string, given: string[], flags: { by: string; json?: boolean }) => {
      const prompt = await client().setLabel(name, label, targetOf(given, flags.by));
      if (flags.json) return print(prompt);
      const target = prompt.labels[label];
      console.log(`${name} ${label}=${target === undefined ? '-' : showTarget(target)}`);
    });

  command('unlabel', 'remove a label')
    .argument('<name>')
    .argument('<label>')
    .action(async (name: string, label: string) => {
      await client().removeLabel(name, label);
    });

  command('stats', 'what each version was used for, cost and saved')
    .argument('<name>')
    .option('--baseline <version>', 'the version that the others are compared with')
    .action(async (name: string, { baseline, json }: { baseline?: string; json?: boolean }) => {
      const against = baseline === undefined ? {} : { baseline: Number(baseline) };
      const stats = await client().stats(name, against);
      if (json) return print(stats);
      console.log(statsPage(stats));
    });

  command('feedback', 'the newest feedback on a prompt')
    .argument('<name>')
    .option('--limit <count>', 'how many', '20')
    .action(async (name: string, { limit, json }: { limit: string; json?: boolean }) => {
      const all = await client().feedback(name, { limit: Number(limit) });
      if (json) return print(all);
      for (const { at, prompt, score, comment, generationId } of all) {
        const when = new Date(at).toISOString();
        console.log([when, `${name}@${prompt?.version}`, score, generationId, comment ?? ''].join('\t'));
      }
    });
}

function targetOf(given: readonly string[], by: string): LabelTarget {
  if (by !== 'user' && by !== 'generation') throw new Error(`--by ${by}: expected user or generation.`);
  const arms = given.map((arm) => {
    const [version, weight = '1'] = arm.split(':');
    return { version: Number(version), weight: Number(weight) };
  });
  const [only] = arms;
  return arms.length === 1 && only !== undefined ? { version: only.version } : { arms, by };
}

function showTarget(target: LabelTarget): string {
  if ('version' in target) return String(target.version);
  return `${target.arms.map(({ version, weight }) => `${version}:${weight}`).join('+')} by ${target.by}`;
}

/** One line a version, one row a fact, so that it reads in a terminal of 80 columns. */
export function statsPage({ name, baseline, versions }: PromptStatsView): string {
  const used = versions.filter(({ requests, feedback }) => requests > 0 || feedback.count > 0);
  if (used.length === 0) return `${name}: no generation has ended yet.`;
  const rows: readonly (readonly [string, (stats: VersionStats) => string])[] = [
    ['requests', (one) => String(one.requests)],
    ['failed, cancelled', (one) => `${one.failed}, ${one.cancelled}`],
    ['from the cache', (one) => String(one.cacheHits)],
    ['cut, continued', (one) => `${one.cutByLength}, ${one.continued}`],
    ['tokens in', (one) => String(one.inputTokens)],
    ['tokens out', (one) => String(one.outputTokens)],
    ['cost', (one) => formatUsd(one.costMicroUsd)],
    ['per request', (one) => formatUsd(one.costPerRequestMicroUsd ?? 0)],
    ['first token p50/p95', (one) => showQuantiles(one.firstTokenMs)],
    ['whole answer p50/p95', (one) => showQuantiles(one.totalMs)],
    ['feedback', ({ feedback }) => `${feedback.count} (+${feedback.positive} -${feedback.negative})`],
  ];
  const table = [['', ...used.map(({ version }) => `@${version}`)]].concat(
    rows.map(([title, show]) => [title, ...used.map(show)]),
  );
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  const lines = table.map((row) =>
    row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
    ),
  );
  return [
    `${name}, compared with @${baseline}`,
    ...lines.map((line) => line.join('  ')),
    ...used.flatMap(savingOf),
  ].join('\n');
}

function showQuantiles(times: VersionStats['totalMs']): string {
  return times === null ? '-' : `${times.p50}/${times.p95} ms`;
}

function savingOf({ version, saving }: VersionStats): string[] {
  if (saving === null) return [];
  const { perRequestMicroUsd, interval95MicroUsd, share, soFarMicroUsd, isCertain, against } = saving;
  const between =
    interval95MicroUsd === null
      ? 'too few requests for an interval'
      : `95 % interval ${interval95MicroUsd.map((bound) => formatUsd(bound)).join(' to ')}`;
  const percent = share === null ? '' : ` (${(share * 100).toFixed(1)} %)`;
  const certainty = isCertain ? '' : '; not certain yet';
  return [
    `@${version} saves ${formatUsd(perRequestMicroUsd)} a request${percent} against @${against}, ${between}${certainty}; ` +
      `${formatUsd(soFarMicroUsd)} so far`,
  ];
}

function print(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}
