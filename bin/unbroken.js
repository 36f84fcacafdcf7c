#!/usr/bin/env node
// Plain JavaScript, so that any Node can start it: the CLI is TypeScript in a clone, and compiled in the npm package.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = [22, 19];

const source = fileURLToPath(new URL('./unbroken.ts', import.meta.url));
const pinnedNode = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));

function isRecentNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

function fail(message) {
  console.error(message);
  process.exitCode = 1;
}

if (!existsSync(source)) {
  if (isRecentNode()) await import('../dist/bin/unbroken.js');
  else
    fail(
      `Node ${process.version} is too old: Unbroken needs Node ${OLDEST_NODE.join('.')} or later, such as 24.`,
    );
} else if (process.features.typescript) {
  await import(source);
} else if (existsSync(pinnedNode)) {
  const child = spawn(pinnedNode, [source, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
  });
} else {
  fail(`Node ${process.version} cannot run TypeScript. Run npm install, or use Node 24.`);
}
