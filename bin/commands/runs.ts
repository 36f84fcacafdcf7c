/** `unbroken runs` and `unbroken feedback`. */
import type { Command } from 'commander';
import type { GenerationFilter } from '../../contracts/generation-search.ts';
import { formatUsd } from '../../contracts/money.ts';
import { type ConnectionFlags, connect, withConnection } from './connection.ts';
import { numeric } from './numeric.ts';
import { printJson, printOutcome } from './print-json.ts';

type RunsFlags = ConnectionFlags & GenerationFilter & { readonly limit: string };

export function defineRuns(command: Command): void {
  withConnection(command)
    .option('--limit <count>', 'how many', numeric, '20')
    .option('--user <name>', 'of this user only')
    .option('--status <status>', 'running, completed, failed or cancelled')
    .option('--model <name>', 'provider/model, or the model alone')
    .option('--prompt <name>', 'a named prompt: name or name@version')
    .option('--from <time>', 'started at this time or later, such as 2026-11-24 (UTC)')
    .option('--until <time>', 'started at this time or before; a day is included as a whole')
    .option('--after <cursor>', 'the next page, as the page before says')
    .action(async (flags: RunsFlags) => {
      const { limit, user, status, model, prompt, from, until, after } = flags;
      const filter = { user, status, model, prompt, from, until, after };
      const { data: runs, next } = await connect(flags).listPage({ ...filter, limit: Number(limit) });
      if (next !== null) console.error(`There are more: --after ${next}`);
      if (flags.json === true) return printJson(runs);
      for (const run of runs) {
        const model = run.model === null ? '-' : `${run.provider}/${run.model}`;
        console.log([run.id, run.status, model, run.user, formatUsd(run.costMicroUsd ?? 0)].join('\t'));
      }
    });
}

/** What negative feedback on an answer from the cache has done. */
const CACHE_OUTCOMES = {
  quarantined: 'This question never gets that cached answer again.',
  deleted: 'The cached answer is deleted.',
} as const;

export function defineFeedback(command: Command): void {
  withConnection(command)
    .argument('<id>')
    .argument('<score>', 'from -1 to 1', numeric)
    .argument('[comment]')
    .action(async (id: string, score: string, comment: string | undefined, flags: ConnectionFlags) => {
      const feedback = { score: Number(score), ...(comment === undefined ? {} : { comment }) };
      const recorded = await connect(flags).giveFeedback(id, feedback);
      const { prompt } = recorded;
      const subject = prompt === null ? '' : ` for ${prompt.name}@${prompt.version}`;
      const done = recorded.cache === undefined ? '' : ` ${CACHE_OUTCOMES[recorded.cache]}`;
      printOutcome(flags, { ...recorded }, `Recorded ${recorded.score}${subject}.${done}`);
    });
}
