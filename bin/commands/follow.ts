/** Commands for a generation that exists: follow it, cancel it, continue its answer. */
import type { Command } from 'commander';
import { type ConnectionFlags, connect, withConnection } from './connection.ts';
import { numeric } from './numeric.ts';
import { leaveRunningOnInterrupt, printGeneration } from './print-generation.ts';
import { printOutcome } from './print-json.ts';

export function defineFollow(command: Command): void {
  withConnection(command)
    .argument('<id>')
    .option('--after <seq>', 'the last seq that you have', numeric, '-1')
    .action(async (id: string, flags: ConnectionFlags & { after: string }) => {
      leaveRunningOnInterrupt(id);
      const events = connect(flags).follow(id, { after: Number(flags.after) });
      process.exitCode = await printGeneration(events, flags);
    });
}

export function defineCancel(command: Command): void {
  withConnection(command)
    .argument('<id>')
    .action(async (id: string, flags: ConnectionFlags) => {
      await connect(flags).cancel(id);
      printOutcome(flags, { id, isCancelling: true }, `Cancelling ${id}.`);
    });
}

export function defineContinue(command: Command): void {
  withConnection(command)
    .argument('<id>')
    .option('--max-output-tokens <count>', 'the length limit of the new part', numeric)
    .option('--model <provider/model>', 'instead of the model of the answer')
    .action(async (id: string, flags: ConnectionFlags & { maxOutputTokens?: string; model?: string }) => {
      const { model, maxOutputTokens } = flags;
      const generation = await connect(flags).continue(id, {
        ...(model === undefined ? {} : { model }),
        ...(maxOutputTokens === undefined ? {} : { maxOutputTokens: Number(maxOutputTokens) }),
      });
      leaveRunningOnInterrupt(generation.id);
      process.exitCode = await printGeneration(generation, flags);
    });
}
