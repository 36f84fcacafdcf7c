/** The command line as commander knows it. */
import { Command } from 'commander';
import { COMMANDS } from './command-table.ts';

/** @param isWanted which commands get their arguments, options and action; of the others only the name is known. */
export async function buildProgram(isWanted: (name: string) => boolean): Promise<Command> {
  const program = new Command('unbroken').description('Durable LLM generation: every token, exactly once.');
  for (const { name, description, define } of COMMANDS) {
    const command = program.command(name).description(description);
    if (isWanted(name)) await define(command, () => buildProgram(() => true));
  }
  return program;
}

/** The name of the command that the arguments ask for, also behind `help`. */
export function requestedCommand(args: readonly string[]): string | undefined {
  const [first, second] = args.filter((word) => !word.startsWith('-'));
  return first === 'help' ? second : first;
}
