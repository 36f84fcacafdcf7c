/** The command line of Unbroken; bin/commands has a module for each command. */
import { onClosedPipe } from './closed-pipe.ts';
import { buildProgram, requestedCommand } from './commands/program.ts';

try {
  const requested = requestedCommand(process.argv.slice(2));
  // What was started stops first: bin/start.ts sees to that.
  if (requested !== 'start') onClosedPipe(() => process.exit());
  const program = await buildProgram((name) => name === requested);
  await program.parseAsync();
} catch (error) {
  const { reportFailure } = await import('./commands/connection.ts');
  process.exitCode = reportFailure(error);
}
