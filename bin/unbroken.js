#!/usr/bin/env node
// Plain JavaScript, so that any Node can start it: the CLI itself is TypeScript and runs on the pinned Node 24.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('./unbroken.ts', import.meta.url));

if (process.features.typescript) {
  await import(entry);
} else {
  const pinned = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
  if (existsSync(pinned)) {
    const child = spawn(pinned, [entry, ...process.argv.slice(2)], { stdio: 'inherit' });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.on('exit', (code, signal) => {
      process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
    });
  } else {
    console.error(`Node ${process.version} cannot run TypeScript. Run npm install, or use Node 24.`);
    process.exitCode = 1;
  }
}
