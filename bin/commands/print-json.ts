/** `--json`: what a command prints for other programs, on stdout. */
import type { Command } from 'commander';

export interface JsonFlag {
  readonly json?: boolean;
}

export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON');
}

export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}

/** The result of a command that changes something: JSON on stdout, or a sentence on stderr. */
export function printOutcome(
  flags: JsonFlag,
  outcome: Readonly<Record<string, unknown>>,
  sentence: string,
): void {
  if (flags.json === true) printJson(outcome);
  else console.error(sentence);
}
