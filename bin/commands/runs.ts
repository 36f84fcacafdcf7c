/** `unbroken runs` and `unbroken feedback`. */
import type { Command } from 'commander';
import { formatUsd } from '../../contracts/money.ts';
import { type ConnectionFlags, connect, withConnection } from './connection.ts';
import { printJson, printOutcome } from './print-json.ts';

export function defineRuns(command: Command): void {
  withConnection(command)
    .option('--limit <count>', 'how many', '20')
    .action(async (flags: ConnectionFlags & { limit: string }) => {
      const runs = await connect(flags).list({ limit: Number(flags.limit) });
      if (flags.json === true) return printJson(runs);
      for (const run of runs) {
        const model = run.model === null ? '-' : `${run.provider}/${run.model}`;
        console.log([run.id, run.status, model, run.user, formatUsd(run.costMicroUsd ?? 0)].join('\t'));
      }
    });
}

export function defineFeedback(command: Command): void {
  withConnection(command)
    .argument('<id>')
    .argument('<score>')
    .argument('[comment]')
    .action(async (id: string, score: string, comment: string | undefined, flags: ConnectionFlags) => {
      const feedback = { score: Number(score), ...(comment === undefined ? {} : { comment }) };
      const recorded = await connect(flags).giveFeedback(id, feedback);
      const { prompt } = recorded;
      const subject = prompt === null ? '' : ` for ${prompt.name}@${prompt.version}`;
      printOutcome(flags, { ...recorded }, `Recorded ${recorded.score}${subject}.`);
    });
}
