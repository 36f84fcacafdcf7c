/** `unbroken prompts`: what there is, new versions, labels, and a page of what each version costs and saves. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { formatUsd } from '../../contracts/money.ts';
import type { LabelTarget, PromptStatsView, VersionStats } from '../../contracts/prompts.ts';
import { type ConnectionFlags, connect, withConnection } from './connection.ts';
import { numeric } from './numeric.ts';
import { printJson, printOutcome } from './print-json.ts';

export function definePrompts(prompts: Command): void {
  defineVersions(prompts);
  defineLabels(prompts);
  defineResults(prompts);
}

function defineVersions(prompts: Command): void {
  withConnection(prompts.command('list').description('list the prompts and their labels')).action(
    async (flags: ConnectionFlags) => {
      const all = await connect(flags).prompts.list();
      if (flags.json === true) return printJson(all);
      for (const { name, latest, labels } of all) {
        const targets = Object.entries(labels).map(([label, target]) => `${label}=${showTarget(target)}`);
        console.log([name, `${latest} versions`, ...targets].join('\t'));
      }
    },
  );

  withConnection(prompts.command('show').description('print a version as JSON; without a number, the newest'))
    .argument('<name>')
    .argument('[version]')
    .action(async (name: string, version: string | undefined, flags: ConnectionFlags) => {
      const client = connect(flags).prompts;
      const number = version === undefined ? (await client.get(name)).latest : Number(version);
      printJson(await client.version(name, number));
    });

  withConnection(
    prompts
      .command('add')
      .description('add a version from a YAML or JSON file; the same content again adds nothing'),
  )
    .argument('<name>')
    .argument('<file>')
    .action(async (name: string, file: string, flags: ConnectionFlags) => {
      const [{ parse }, { promptContentSchema }, text] = await Promise.all([
        import('yaml'),
        import('../../contracts/prompts.ts'),
        readFile(file, 'utf8'),
      ]);
      const added = await connect(flags).prompts.addVersion(name, promptContentSchema.parse(parse(text)));
      if (flags.json === true) return printJson(added);
      console.log(`${name}@${added.version}`);
    });
}

function defineLabels(prompts: Command): void {
  withConnection(
    prompts
      .command('label')
      .description('point a label to a version (3), or to several by weight (3:90 4:10)'),
  )
    .argument('<name>')
    .argument('<label>')
    .argument('<target...>')
    .option('--by <unit>', 'what keeps its version: user or generation', 'user')
    .action(async (name: string, label: string, arms: string[], flags: ConnectionFlags & { by: string }) => {
      const prompt = await connect(flags).prompts.setLabel(name, label, targetOf(arms, flags.by));
      if (flags.json === true) return printJson(prompt);
      const target = prompt.labels[label];
      console.log(`${name} ${label}=${target === undefined ? '-' : showTarget(target)}`);
    });

  withConnection(prompts.command('unlabel').description('remove a label'))
    .argument('<name>')
    .argument('<label>')
    .action(async (name: string, label: string, flags: ConnectionFlags) => {
      await connect(flags).prompts.removeLabel(name, label);
      printOutcome(flags, { name, label, isRemoved: true }, `Removed ${label} from ${name}.`);
    });
}

function defineResults(prompts: Command): void {
  withConnection(prompts.command('stats').description('what each version was used for, cost and saved'))
    .argument('<name>')
    .option('--baseline <version>', 'the version that the others are compared with', numeric)
    .action(async (name: string, flags: ConnectionFlags & { baseline?: string }) => {
      const against = flags.baseline === undefined ? {} : { baseline: Number(flags.baseline) };
      const stats = await connect(flags).prompts.stats(name, against);
      if (flags.json === true) return printJson(stats);
      console.log(statsPage(stats));
    });

  withConnection(prompts.command('feedback').description('list the newest feedback on a prompt'))
    .argument('<name>')
    .option('--limit <count>', 'how many', numeric, '20')
    .action(async (name: string, flags: ConnectionFlags & { limit: string }) => {
      const all = await connect(flags).prompts.feedback(name, { limit: Number(flags.limit) });
      if (flags.json === true) return printJson(all);
      for (const { at, prompt, score, comment, generationId } of all) {
        const when = new Date(at).toISOString();
        console.log([when, `${name}@${prompt?.version}`, score, generationId, comment ?? ''].join('\t'));
      }
    });
}

function targetOf(texts: readonly string[], by: string): LabelTarget {
  if (by !== 'user' && by !== 'generation') throw new Error(`--by ${by}: expected user or generation.`);
  const arms = texts.map((text) => {
    const [version, weight = '1'] = text.split(':');
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
function statsPage({ name, baseline, versions }: PromptStatsView): string {
  const used = versions.filter(({ requests, feedback }) => requests > 0 || feedback.count > 0);
  if (used.length === 0) return `${name}: no generation has ended yet.`;
  const rows: readonly (readonly [string, (stats: VersionStats) => string])[] = [
    ['requests', (stats) => String(stats.requests)],
    ['failed, cancelled', (stats) => `${stats.failed}, ${stats.cancelled}`],
    ['from the cache', (stats) => String(stats.cacheHits)],
    ['cut, continued', (stats) => `${stats.cutByLength}, ${stats.continued}`],
    ['tokens in', (stats) => String(stats.inputTokens)],
    ['tokens out', (stats) => String(stats.outputTokens)],
    ['cost', (stats) => formatUsd(stats.costMicroUsd)],
    ['per request', (stats) => formatUsd(stats.costPerRequestMicroUsd ?? 0)],
    ['first token p50/p95', (stats) => showQuantiles(stats.firstTokenMs)],
    ['whole answer p50/p95', (stats) => showQuantiles(stats.totalMs)],
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
