import type { Finding } from '../../tools/services/doctor/finding.ts';

const MARKS: Readonly<Record<Finding['status'], string>> = {
  ok: 'ok     ',
  warning: 'warning',
  error: 'ERROR  ',
};

/** @returns the exit code: 1 where something keeps Unbroken from its promise. */
export function printFindings(findings: readonly Finding[], asJson: boolean): number {
  const count = (status: Finding['status']) => findings.filter((one) => one.status === status).length;
  const [errors, warnings] = [count('error'), count('warning')];
  if (asJson) console.log(JSON.stringify({ healthy: errors === 0, errors, warnings, findings }, null, 2));
  else {
    for (const { check, status, found, fix } of findings) {
      console.log(`${MARKS[status]}  ${check}: ${found}`);
      if (fix !== undefined) console.log(`         Fix: ${fix}`);
    }
    console.log(`\n${errors} errors, ${warnings} warnings`);
  }
  return errors === 0 ? 0 : 1;
}
