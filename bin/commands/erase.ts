/** `unbroken erase`: deletes a generation, a job, or everything that a user has sent, and prints the receipt. */
import type { Command } from 'commander';
import type { ErasureView } from '../../clients/typescript/index.ts';
import { type ConnectionFlags, connect, withConnection } from './connection.ts';
import { numeric } from './numeric.ts';
import { printJson } from './print-json.ts';

interface EraseFlags extends ConnectionFlags {
  readonly yes?: boolean;
  readonly detach?: boolean;
}

export function defineErase(erase: Command): void {
  withConnection(
    erase
      .command('user')
      .description('everything that a user has sent until now; with a key of the user, or an admin key'),
  )
    .argument('<user>')
    .option('--yes', 'it cannot be undone')
    .option('--detach', 'print the id of the erasure at once')
    .action(async (user: string, flags: EraseFlags) => {
      confirm(flags);
      await finish(await connect(flags).erasures.user(user), flags);
    });

  withConnection(erase.command('job').description('a job with its generations'))
    .argument('<job>')
    .option('--yes', 'it cannot be undone')
    .option('--detach', 'print the id of the erasure at once')
    .action(async (job: string, flags: EraseFlags) => {
      confirm(flags);
      await finish(await connect(flags).erasures.job(job), flags);
    });

  withConnection(erase.command('generation').description('a generation; one that runs is cancelled first'))
    .argument('<generation>')
    .option('--yes', 'it cannot be undone')
    .action(async (generation: string, flags: EraseFlags) => {
      confirm(flags);
      const deleted = await connect(flags).erasures.generation(generation);
      if (flags.json === true) printJson(deleted);
      else printLists(deleted);
    });

  withConnection(erase.command('receipt').description('what an erasure has removed, and what remains'))
    .argument('<erasure>')
    .action(async (id: string, flags: ConnectionFlags) =>
      printReceipt(await connect(flags).erasures.get(id), flags),
    );

  withConnection(erase.command('list').description('the newest erasures'))
    .option('--limit <count>', 'how many', numeric, '20')
    .option('--user <user>', 'only those of this user')
    .action(async (flags: ConnectionFlags & { limit: string; user?: string }) => {
      const { limit, user } = flags;
      const all = await connect(flags).erasures.list({ limit: Number(limit), user });
      if (flags.json === true) {
        printJson(all);
        return;
      }
      for (const { id, status, scope, createdAt, jobId } of all) {
        console.log([new Date(createdAt).toISOString(), id, status, jobId ?? scope].join('\t'));
      }
    });
}

function confirm({ yes }: EraseFlags): void {
  if (yes !== true) throw new Error('What is erased cannot be restored; add --yes.');
}

async function finish(begun: ErasureView, flags: EraseFlags): Promise<void> {
  if (flags.detach === true) {
    if (flags.json === true) printJson(begun);
    else console.log(begun.id);
    return;
  }
  if (flags.json !== true) console.error(begun.id);
  printReceipt(await connect(flags).erasures.wait(begun.id), flags);
}

function printReceipt(receipt: ErasureView, flags: ConnectionFlags): void {
  if (flags.json === true) {
    printJson(receipt);
    return;
  }
  const { status, before, waitingFor } = receipt;
  console.log(`${status}\tuntil ${new Date(before).toISOString()}`);
  if (waitingFor > 0) console.log(`waits for ${waitingFor} runs that were cancelled`);
  printLists(receipt);
}

function printLists({ removed, remains }: Pick<ErasureView, 'removed' | 'remains'>): void {
  for (const { kind, count } of removed) console.log(`${kind}\t${count}`);
  for (const { kind, count, reason, until } of remains) {
    const then = until === null ? '' : ` Until ${new Date(until).toISOString()}.`;
    console.log(`remains: ${kind}${count === null ? '' : ` ${count}`}\t${reason}${then}`);
  }
}
