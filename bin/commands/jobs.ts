/** `unbroken jobs` and `unbroken pipelines`: runs of pipelines, and the pipelines themselves. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { parse } from 'yaml';
import type { FollowedJobEvent, JobView, NewJob, NewPipeline } from '../../clients/typescript/index.ts';
import { formatUsd } from '../../contracts/money.ts';
import { type ConnectionFlags, connect, withConnection } from './connection.ts';
import { numeric } from './numeric.ts';
import { printJson, printOutcome } from './print-json.ts';

export function defineJobs(jobs: Command): void {
  defineRunning(jobs);
  defineDeciding(jobs);
  defineReading(jobs);
}

interface RunFlags extends ConnectionFlags {
  readonly input?: string[];
  readonly maxCost?: string;
  readonly estimate?: boolean;
  readonly detach?: boolean;
  readonly user?: string;
  readonly idempotencyKey?: string;
}

function defineRunning(jobs: Command): void {
  withConnection(jobs.command('run').description('run a pipeline, follow it, and print its document'))
    .argument(
      '<pipeline>',
      'a YAML or JSON file, or the name of a stored one: name, name@version or name@label',
    )
    .option('--input <name=value...>', 'a value of its input; name=@path reads a file, name:=json takes JSON')
    .option(
      '--max-cost <usd>',
      'start nothing whose worst case would cost more than is left of this',
      numeric,
    )
    .option('--estimate', 'print what it can cost at most, and start nothing')
    .option('--detach', 'print the id of the job at once')
    .option('--user <user>', 'whose budget pays; needs the scope any-user')
    .option('--idempotency-key <key>', 'the same key joins the job that it made')
    .action(async (pipeline: string, flags: RunFlags) => {
      const client = connect(flags).jobs;
      const job = await jobOf(pipeline, flags);
      if (flags.estimate === true) {
        printEstimate(await client.estimate(job), flags);
        return;
      }
      const { idempotencyKey } = flags;
      const started = await client.run(job, idempotencyKey === undefined ? {} : { idempotencyKey });
      if (flags.detach === true) return printId(flags, started);
      await follow(started.id, flags);
    });

  withConnection(jobs.command('follow').description('follow a job, and print its document at the end'))
    .argument('<job>')
    .option('--after <cursor>', 'continue behind the event with this cursor')
    .action((job: string, flags: ConnectionFlags & { after?: string }) => follow(job, flags, flags.after));

  withConnection(
    jobs.command('rerun').description('run a job again from a step, as another job; the first stays'),
  )
    .argument('<job>')
    .requiredOption('--from <step>', 'this step and those that need it run again')
    .option('--model <step=provider/model...>', 'another model for a step')
    .option('--prompt <step=name@version...>', 'another prompt, or another version or label of it')
    .option('--detach', 'print the id of the new job at once')
    .action(async (job: string, flags: RerunFlags) => {
      const steps = changesOf(flags);
      const rerun = await connect(flags).jobs.rerun(job, { from: flags.from, steps });
      if (flags.detach === true) return printId(flags, rerun);
      await follow(rerun.id, flags);
    });
}

function printId(flags: ConnectionFlags, job: JobView): void {
  if (flags.json === true) printJson(job);
  else console.log(job.id);
}

interface RerunFlags extends ConnectionFlags {
  readonly from: string;
  readonly model?: string[];
  readonly prompt?: string[];
  readonly detach?: boolean;
}

type Changes = NonNullable<Parameters<ReturnType<typeof connect>['jobs']['rerun']>[1]['steps']>;

function changesOf({ model = [], prompt = [] }: RerunFlags): Changes {
  const changes: Record<string, Changes[string]> = {};
  for (const [step, value] of model.map(pairOf)) changes[step] = { ...changes[step], model: value };
  for (const [step, value] of prompt.map(pairOf)) {
    const [name = '', version] = value.split('@');
    changes[step] = { ...changes[step], prompt: { name, ...labelOf(version) } };
  }
  return changes;
}

function defineDeciding(jobs: Command): void {
  for (const verb of ['approve', 'reject'] as const) {
    withConnection(jobs.command(verb).description(`${verb} a step that waits for a person`))
      .argument('<job>')
      .argument('[step]', 'may be left out if one step waits')
      .option('--note <text>', 'why; other steps can read it')
      .action(async (job: string, step: string | undefined, flags: ConnectionFlags & { note?: string }) => {
        const client = connect(flags).jobs;
        const name = step ?? waitingIn(await client.get(job));
        const view = await client[verb](job, name, flags.note === undefined ? {} : { note: flags.note });
        printOutcome(flags, view, `${name}: ${verb === 'approve' ? 'approved' : 'rejected'}.`);
      });
  }
  for (const verb of ['cancel', 'pause', 'resume'] as const) {
    withConnection(jobs.command(verb).description(`${verb} a job`))
      .argument('<job>')
      .action(async (job: string, flags: ConnectionFlags) => {
        printOutcome(flags, await connect(flags).jobs[verb](job), `${verb}: ${job}`);
      });
  }
}

function waitingIn({ id, steps }: JobView): string {
  const waiting = steps.filter(({ status }) => status === 'waiting').map(({ name }) => name);
  const [only] = waiting;
  if (waiting.length === 1 && only !== undefined) return only;
  throw new Error(
    waiting.length === 0 ? `No step of ${id} waits.` : `Name a step: ${waiting.join(', ')} wait.`,
  );
}

function defineReading(jobs: Command): void {
  withConnection(jobs.command('list').description('list the newest jobs'))
    .option('--limit <count>', 'how many', numeric, '20')
    .action(async (flags: ConnectionFlags & { limit: string }) => {
      const all = await connect(flags).jobs.list({ limit: Number(flags.limit) });
      if (flags.json === true) return printJson(all);
      for (const { id, status, pipeline, user, costMicroUsd, createdAt } of all) {
        const name = pipeline === null ? '-' : `${pipeline.name}@${pipeline.version}`;
        console.log(
          [new Date(createdAt).toISOString(), id, status, name, user, formatUsd(costMicroUsd)].join('\t'),
        );
      }
    });

  withConnection(
    jobs.command('show').description('show the steps of a job, what each cost, and the document'),
  )
    .argument('<job>')
    .action(async (job: string, flags: ConnectionFlags) => {
      const view = await connect(flags).jobs.get(job);
      if (flags.json === true) return printJson(view);
      for (const { name, status, items, done, costMicroUsd } of view.steps) {
        const progress = items === null ? '' : `${done}/${items}`;
        console.log([name, status, progress, formatUsd(costMicroUsd)].join('\t'));
      }
      console.log(`${view.status}\t${formatUsd(view.costMicroUsd)}`);
      if (view.output !== null) console.log(`\n${view.output}`);
    });

  withConnection(
    jobs
      .command('compare')
      .description('compare two jobs, step by step: cost, and whether the text is the same'),
  )
    .argument('<job>')
    .argument('<other>')
    .action(async (job: string, other: string, flags: ConnectionFlags) => {
      const comparison = await connect(flags).jobs.compare(job, other);
      if (flags.json === true) return printJson(comparison);
      for (const { name, isSame, sides } of comparison.steps) {
        const costs = sides.map(({ costMicroUsd }) => formatUsd(costMicroUsd));
        console.log([name, isSame ? 'same' : 'differs', ...costs].join('\t'));
      }
      const totals = comparison.jobs.map(({ costMicroUsd }) => formatUsd(costMicroUsd));
      const [first, second] = comparison.jobs;
      console.log(['all', first?.text === second?.text ? 'same' : 'differs', ...totals].join('\t'));
    });
}

export function definePipelines(pipelines: Command): void {
  withConnection(pipelines.command('list').description('list the pipelines and their labels')).action(
    async (flags: ConnectionFlags) => {
      const all = await connect(flags).pipelines.list();
      if (flags.json === true) return printJson(all);
      for (const { name, latest, labels } of all) {
        const targets = Object.entries(labels).map(([label, { version }]) => `${label}=${version}`);
        console.log([name, `${latest} versions`, ...targets].join('\t'));
      }
    },
  );

  withConnection(
    pipelines.command('add').description('add a version from a YAML or JSON file; needs an admin key'),
  )
    .argument('<file>')
    .option('--label <label>', 'point this label to it, such as production')
    .action(async (file: string, flags: ConnectionFlags & { label?: string }) => {
      const client = connect(flags).pipelines;
      const added = await client.add(parse(await readFile(file, 'utf8')));
      if (flags.label !== undefined) await client.setLabel(added.name, flags.label, added.version);
      printOutcome(flags, added, `${added.name}@${added.version}`);
    });

  withConnection(pipelines.command('label').description('point a label to a version; needs an admin key'))
    .argument('<name>')
    .argument('<label>')
    .argument('<version>', 'its number', numeric)
    .action(async (name: string, label: string, version: string, flags: ConnectionFlags) => {
      const view = await connect(flags).pipelines.setLabel(name, label, Number(version));
      printOutcome(flags, view, `${label} of ${name} is ${version}.`);
    });
}

async function jobOf(pipeline: string, flags: RunFlags): Promise<NewJob> {
  const input = Object.fromEntries(await Promise.all((flags.input ?? []).map(inputValue)));
  const { user, maxCost } = flags;
  return {
    ...(await sourceOf(pipeline)),
    input,
    ...(user === undefined ? {} : { user }),
    ...(maxCost === undefined ? {} : { maxCostMicroUsd: Math.round(Number(maxCost) * 1_000_000) }),
  };
}

async function sourceOf(pipeline: string): Promise<Pick<NewJob, 'definition' | 'pipeline'>> {
  if (!/\.(?:ya?ml|json)$/.test(pipeline)) {
    const [name = '', version] = pipeline.split('@');
    return { pipeline: { name, ...labelOf(version) } };
  }
  const { name: _name, ...definition } = parse(await readFile(pipeline, 'utf8'));
  return { definition: definition as NewPipeline };
}

function labelOf(version: string | undefined): { version?: number; label?: string } {
  if (version === undefined) return {};
  return /^\d+$/.test(version) ? { version: Number(version) } : { label: version };
}

async function inputValue(text: string): Promise<readonly [string, unknown]> {
  const json = /^([^=:]+):=(.*)$/s.exec(text);
  if (json !== null) return [json[1] ?? '', JSON.parse(json[2] ?? '')];
  const [name, value] = pairOf(text);
  return [name, value.startsWith('@') ? await readFile(value.slice(1), 'utf8') : value];
}

function pairOf(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new Error(`"${text}": expected name=value.`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Progress goes to stderr, and the document to stdout. With --json each event is a line. */
async function follow(jobId: string, flags: ConnectionFlags, after?: string): Promise<void> {
  const client = connect(flags).jobs;
  const isJson = flags.json === true;
  if (!isJson) console.error(jobId);
  for await (const event of client.follow(jobId, {
    withText: isJson,
    ...(after === undefined ? {} : { after }),
  })) {
    if (isJson) console.log(JSON.stringify(event));
    else {
      const line = lineOf(event, jobId);
      if (line !== null) console.error(line);
    }
  }
  const view = await client.get(jobId);
  if (!isJson && view.output !== null) console.log(view.output);
  if (!isJson)
    console.error(
      `${view.status}, ${formatUsd(view.costMicroUsd)}${view.error === null ? '' : `: ${view.error.message}`}`,
    );
  process.exitCode = view.status === 'completed' ? 0 : 1;
}

function lineOf(event: FollowedJobEvent, jobId: string): string | null {
  switch (event.type) {
    case 'step-start':
      return `${event.step}: begins${event.items === null ? '' : `, ${event.items} items`}`;
    case 'step-skip':
      return `${event.step}: skipped`;
    case 'step-reuse':
      return `${event.step}: as in ${event.jobId}`;
    case 'generation-close': {
      const item = event.item === null ? '' : ` ${event.item}`;
      return `${event.step}${item}: ${event.error?.message ?? event.status}, ${formatUsd(event.costMicroUsd)}`;
    }
    case 'approval-request':
      return `${event.step}: waits for you${event.message === null ? '' : `: ${event.message}`}\n  unbroken jobs approve ${jobId} ${event.step}`;
    case 'approval':
      return `${event.step}: ${event.approved ? 'approved' : 'rejected'} by ${event.by ?? 'nobody in time'}`;
    case 'job-pause':
    case 'job-resume':
      return `${event.type === 'job-pause' ? 'paused' : 'resumed'} by ${event.by}`;
    default:
      return null;
  }
}

function printEstimate(
  estimate: Awaited<ReturnType<ReturnType<typeof connect>['jobs']['estimate']>>,
  flags: ConnectionFlags,
): void {
  if (flags.json === true) {
    printJson(estimate);
    return;
  }
  for (const { name, generations, models, maxCostMicroUsd } of estimate.steps) {
    const cost = maxCostMicroUsd === null ? 'unknown' : `at most ${formatUsd(maxCostMicroUsd)}`;
    console.log([name, `${generations} x ${models[0] ?? '-'}`, cost].join('\t'));
  }
  const { maxCostMicroUsd: most } = estimate;
  console.log(
    `all\t${estimate.generations} generations\t${most === null ? 'unknown' : `at most ${formatUsd(most)}`}`,
  );
  for (const assumption of estimate.assumptions) console.log(assumption);
}
