/** `unbroken schedules`: generations, jobs and batches by the clock. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { parse } from 'yaml';
import type { ScheduleView } from '../../clients/typescript/index.ts';
import { type ConnectionFlags, connect, withConnection } from './connection.ts';
import { printJson, printOutcome } from './print-json.ts';

export function defineSchedules(schedules: Command): void {
  withConnection(schedules.command('list').description('list the schedules, and when each runs next')).action(
    async (flags: ConnectionFlags) => {
      const all = await connect(flags).schedules.list();
      if (flags.json === true) {
        printJson(all);
        return;
      }
      for (const schedule of all) console.log(lineOf(schedule));
    },
  );

  withConnection(schedules.command('add').description('add a schedule from a YAML or JSON file'))
    .argument('<file>')
    .option('--idempotency-key <key>', 'the same key finds the schedule that it made')
    .action(async (file: string, flags: ConnectionFlags & { idempotencyKey?: string }) => {
      const { idempotencyKey } = flags;
      const options = idempotencyKey === undefined ? {} : { idempotencyKey };
      const added = await connect(flags).schedules.create(parse(await readFile(file, 'utf8')), options);
      printOutcome(flags, added, lineOf(added));
    });

  for (const verb of ['unpause', 'trigger'] as const) {
    const what = verb === 'trigger' ? 'start what a tick would, now' : 'let a paused schedule run again';
    withConnection(schedules.command(verb).description(what))
      .argument('<schedule>')
      .action(async (id: string, flags: ConnectionFlags) => {
        const view = await connect(flags).schedules[verb](id);
        printOutcome(flags, view, lineOf(view));
      });
  }

  withConnection(schedules.command('pause').description('start nothing until it is unpaused'))
    .argument('<schedule>')
    .option('--note <text>', 'why')
    .action(async (id: string, flags: ConnectionFlags & { note?: string }) => {
      const view = await connect(flags).schedules.pause(
        id,
        flags.note === undefined ? {} : { note: flags.note },
      );
      printOutcome(flags, view, lineOf(view));
    });

  withConnection(schedules.command('backfill').description('start the ticks of a time that is past'))
    .argument('<schedule>')
    .requiredOption('--from <time>', 'such as 2026-11-01T00:00:00Z')
    .requiredOption('--until <time>', 'the last time')
    .action(async (id: string, flags: ConnectionFlags & { from: string; until: string }) => {
      const view = await connect(flags).schedules.backfill(id, { from: flags.from, until: flags.until });
      printOutcome(flags, view, lineOf(view));
    });

  withConnection(schedules.command('delete').description('delete a schedule; what it has started continues'))
    .argument('<schedule>')
    .action(async (id: string, flags: ConnectionFlags) => {
      await connect(flags).schedules.delete(id);
      printOutcome(flags, { id, isDeleted: true }, `Deleted ${id}.`);
    });
}

function lineOf({ id, kind, times, isPaused, nextAt, user, description }: ScheduleView): string {
  const when = [
    ...(times.cron ?? []),
    ...(times.everyMs === undefined ? [] : [`every ${times.everyMs / 1_000} s`]),
  ];
  const [next] = nextAt;
  const then = isPaused ? 'paused' : next === undefined ? 'no more' : new Date(next).toISOString();
  return [id, kind, when.join(', '), then, user, description ?? ''].join('\t');
}
