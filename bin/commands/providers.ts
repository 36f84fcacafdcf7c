/** `unbroken providers`. */
import type { Command } from 'commander';
import { type ConnectionFlags, connect, withConnection } from './connection.ts';
import { printProviders } from './print-routing.ts';

export function defineProviders(command: Command): void {
  withConnection(command).action(async (flags: ConnectionFlags) => {
    printProviders(await connect(flags).providers(), flags);
  });
}
