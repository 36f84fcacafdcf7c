/** What `npm start`, `npm test` and the other scripts call, where it is called wrongly. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

async function run(...args: string[]) {
  const called = promisify(execFile)(process.execPath, ['bin/run.js', ...args]);
  return called.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      code,
      stdout,
      stderr,
    }),
  );
}

/** The scripts of package.json that call it. */
function scripts(): string[] {
  const file: { scripts: Record<string, string> } = JSON.parse(readFileSync('package.json', 'utf8'));
  return Object.entries(file.scripts).flatMap(([name, script]) =>
    script === `node bin/run.js ${name}` ? [name] : [],
  );
}

test('--help lists every command with what it does', async () => {
  const { code, stdout, stderr } = await run('--help');
  expect([code, stderr]).toEqual([0, '']);
  const listed = stdout.split('\n').flatMap((line) => /^ {2}(\w+) {2,}\S/.exec(line)?.[1] ?? []);
  expect(listed.sort()).toEqual(scripts().sort());
  expect(listed.length).toBeGreaterThan(5);
});

test('an unknown command, or none, is an error with the same list', async () => {
  const { stdout: list } = await run('help');
  expect(await run('toString')).toEqual({
    code: 1,
    stdout: '',
    stderr: `Unknown command: toString\n\n${list}`,
  });
  expect(await run()).toEqual({ code: 1, stdout: '', stderr: list });
});

test('npm start -- --help prints what may be set, and starts nothing', async () => {
  const { code, stdout, stderr } = await run('start', '--help');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^Usage: npm run start\n/);
  expect(stdout).toContain('UNBROKEN_PORT=');
});

test('a command that takes no arguments names those it was given', async () => {
  expect(await run('start', 'worker')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'npm run start takes no arguments: worker\n  Fix: Run: npm run start -- --help\n',
  });
});
