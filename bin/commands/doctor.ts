/** `unbroken doctor`: looks at everything that Unbroken needs. The exit code is 1 where something breaks a promise. */
import type { Command } from 'commander';
import type { Finding } from '../../tools/services/doctor/finding.ts';
import { type JsonFlag, printJson, withJson } from './print-json.ts';

const MARKS: Readonly<Record<Finding['status'], string>> = {
  ok: 'ok     ',
  warning: 'warning',
  error: 'ERROR  ',
};

export function defineDoctor(command: Command): void {
  withJson(command).action(async (flags: JsonFlag) => {
    const { examine } = await import('../../tools/services/doctor/examine.ts');
    process.exitCode = printFindings(await examine(process.env), flags);
  });
}

function printFindings(findings: readonly Finding[], { json }: JsonFlag): number {
  const count = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length;
  const errors = count('error');
  const warnings = count('warning');
  if (json === true) printJson({ healthy: errors === 0, errors, warnings, findings });
  else {
    for (const { check, status, found, fix } of findings) {
      console.log(`${MARKS[status]}  ${check}: ${found}`);
      if (fix !== undefined) console.log(`         Fix: ${fix}`);
    }
    console.log(`\n${errors} errors, ${warnings} warnings`);
  }
  return errors === 0 ? 0 : 1;
}
