/** `unbroken complaints`: answers of the cache that readers said did not fit their question. */
import type { Command } from 'commander';
import { type ConnectionFlags, connect, withConnection } from './connection.ts';
import { numeric } from './numeric.ts';
import { printJson, printOutcome } from './print-json.ts';

export function defineComplaints(command: Command): void {
  withConnection(command.command('list', { isDefault: true }).description('the newest complaints'))
    .option('--limit <count>', 'how many', numeric, '20')
    .option('--after <cursor>', 'the next page, as the page before says')
    .action(async (flags: ConnectionFlags & { limit: string; after?: string }) => {
      const { limit, after } = flags;
      const { data, next } = await connect(flags).complaints.list({ limit: Number(limit), after });
      if (next !== null) console.error(`There are more: --after ${next}`);
      if (flags.json === true) return printJson(data);
      for (const { at, entryId, generation, user, questions, storedQuestion } of data) {
        const question = questions?.at(-1) ?? '-';
        const when = new Date(at).toISOString();
        console.log(
          [when, entryId, generation, user, oneLine(question), oneLine(storedQuestion ?? '-')].join('\t'),
        );
      }
    });

  withConnection(command.command('lift').description('let the question get the stored answer again'))
    .argument('<entry>')
    .argument('<generation>')
    .action(async (entry: string, generation: string, flags: ConnectionFlags) => {
      await connect(flags).complaints.lift(entry, generation);
      printOutcome(flags, { entry, generation, lifted: true }, `Lifted the complaint of ${generation}.`);
    });
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}
