#!/usr/bin/env node
/**
 * Stands in for `npm` and `npx` while a sample of the shell runs. `npx unbroken` is our own CLI. What takes minutes
 * (tests, proofs) or would start everything again is checked instead: that the script, its options and its files exist.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const PROGRAMS = { prove: 'test/prove/main.ts', bench: 'tools/bench/main.ts' };
const [, , program, ...args] = process.argv;
const manifest = (folder) => JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));

function refuse(reason) {
  process.stderr.write(`${program} ${args.join(' ')}: ${reason}\n`);
  process.exit(1);
}

async function findStack() {
  const response = await fetch(`${process.env.UNBROKEN_URL}/healthz`);
  if (!response.ok) refuse(`the stack answers ${response.status}`);
}

/** The name and the options of `npm run prove -- <name> --option` must be declared in that program. */
function checkOptions(script, [name, ...options]) {
  const declared = readFileSync(join(ROOT, PROGRAMS[script]), 'utf8')
    .split(".command('")
    .find((part) => part.startsWith(`${name}'`));
  if (declared === undefined) refuse(`${script} has no ${name}`);
  for (const option of options.filter((text) => text.startsWith('--'))) {
    if (!new RegExp(`'${option}\\b`).test(declared)) refuse(`${script} ${name} has no ${option}`);
  }
}

function checkScript([script, ...rest]) {
  if (!Object.hasOwn(manifest('.').scripts, script)) refuse('no such script');
  const options = rest.slice(rest.indexOf('--') + 1);
  if (Object.hasOwn(PROGRAMS, script) && options.length > 0) checkOptions(script, options);
  if (script === 'test') {
    const path = options[0];
    if (path !== undefined && !existsSync(join(ROOT, path))) refuse(`there is no ${path}`);
  }
}

function checkPackage(name) {
  const ours = ['.', 'clients/typescript'].map(manifest);
  const files = ours.map((own) => `${own.name.replace('@', '').replace('/', '-')}-${own.version}.tgz`);
  const isKnown =
    ours.some((own) => own.name === name) ||
    files.includes(basename(name)) ||
    existsSync(join(ROOT, name, 'package.json'));
  if (!isKnown) refuse(`no package of ours is ${name}; the files are ${files.join(', ')}`);
}

const [command, ...rest] = args;
if (program === 'npx') {
  if (command === 'unbroken' && rest[0] !== 'start') {
    process.exit(
      spawnSync(process.execPath, [join(ROOT, 'bin', 'unbroken.js'), ...rest], { stdio: 'inherit' }).status,
    );
  } else if (command === 'unbroken') await findStack();
  else if (command !== 'node' || !existsSync(join(ROOT, rest[0]))) refuse('not known here');
} else if (command === 'start') await findStack();
else if (command === 'run') checkScript(rest);
else if (command === 'test') checkScript(['test', ...rest]);
else if (command === 'install' || command === 'pack') {
  rest.filter((argument) => !argument.startsWith('-')).forEach(checkPackage);
} else refuse('not known here');
