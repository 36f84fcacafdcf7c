/** `unbroken generate` and `unbroken explain`: the same request, sent or only explained. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { GenerationRequest } from '../../clients/typescript/index.ts';
import { type ConnectionFlags, connect, withConnection } from './connection.ts';
import { numeric } from './numeric.ts';
import { leaveRunningOnInterrupt, printGeneration } from './print-generation.ts';
import { printExplanation } from './print-routing.ts';

/** What `generate`, `explain` and `chat` can ask for. */
export interface RequestFlags {
  readonly system?: string;
  readonly model?: string;
  readonly route?: string;
  readonly task?: string;
  readonly priority?: string;
  readonly deadline?: string;
  readonly maxOutputTokens?: string;
  readonly user?: string;
  readonly prompt?: string;
  readonly var?: string[];
  readonly compress?: string;
}

interface GenerateFlags extends ConnectionFlags, RequestFlags {
  readonly file?: string;
  readonly idempotencyKey?: string;
}

export function defineGenerate(command: Command): void {
  withRequestOptions(withConnection(command))
    .argument('[prompt]')
    .option('-f, --file <path>', 'read the prompt from a file')
    .option(
      '--priority <1-5>',
      'when generations queue for a provider: 1 is first, 5 last; default: 3',
      numeric,
    )
    .option('--deadline <seconds>', 'end with an error after this time', numeric)
    .option('--user <user>', 'whose budget pays; needs the scope any-user')
    .option('--prompt <name@version>', 'a named prompt, or name@label; the prompt argument is then its input')
    .option('--var <name=value...>', 'a variable of the named prompt')
    .option('--compress <share>', 'keep this share of the context, such as 0.5', numeric)
    .option('--idempotency-key <key>', 'the same key joins the generation that it made')
    .action(async (prompt: string | undefined, flags: GenerateFlags) => {
      const input = flags.file === undefined ? prompt : await readFile(flags.file, 'utf8');
      if (!input && flags.prompt === undefined) throw new Error('Give a prompt, or a file with -f.');
      const key = flags.idempotencyKey;
      const submitOptions = key === undefined ? {} : { idempotencyKey: key };
      const generation = await connect(flags).generate(requestOf(input || undefined, flags), submitOptions);
      leaveRunningOnInterrupt(generation.id);
      process.exitCode = await printGeneration(generation, flags);
    });
}

export function defineExplain(command: Command): void {
  withRequestOptions(withConnection(command))
    .argument('<prompt>')
    .action(async (prompt: string, flags: GenerateFlags) => {
      printExplanation(await connect(flags).explain(requestOf(prompt, flags)), flags);
    });
}

export function withRequestOptions(command: Command): Command {
  return command
    .option('--system <text>', 'the system prompt')
    .option('--model <provider/model>', 'instead of the choice of the route')
    .option('--route <name>', 'a route of the config')
    .option('--task <kind>', 'simple, complex, code, or a task of the route')
    .option('--max-output-tokens <count>', 'the length limit of the answer', numeric);
}

export function requestOf(input: GenerationRequest['input'], flags: RequestFlags): GenerationRequest {
  const { system, model, route, task, priority, deadline, user, maxOutputTokens, prompt, compress } = flags;
  return {
    ...(input === undefined ? {} : { input }),
    ...(prompt === undefined ? {} : { prompt: promptOf(prompt, flags.var ?? []) }),
    ...(compress === undefined ? {} : { compression: { keep: Number(compress) } }),
    ...(system === undefined ? {} : { system }),
    ...(model === undefined ? {} : { model }),
    ...(route === undefined ? {} : { route }),
    ...(task === undefined ? {} : { task }),
    ...(priority === undefined ? {} : { priority: Number(priority) }),
    ...(deadline === undefined ? {} : { deadlineMs: Number(deadline) * 1_000 }),
    ...(user === undefined ? {} : { user }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens: Number(maxOutputTokens) }),
  };
}

/** `name`, `name@3` or `name@label`, with `--var name=value` for each variable. */
function promptOf(prompt: string, variables: readonly string[]): GenerationRequest['prompt'] {
  const [name = '', which] = prompt.split('@');
  const pairs = variables.map((pair) => {
    const equals = pair.indexOf('=');
    if (equals < 1) throw new Error(`--var ${pair}: expected name=value.`);
    return [pair.slice(0, equals), pair.slice(equals + 1)] as const;
  });
  const choice =
    which === undefined ? {} : /^\d+$/.test(which) ? { version: Number(which) } : { label: which };
  return { name, ...choice, variables: Object.fromEntries(pairs) };
}
