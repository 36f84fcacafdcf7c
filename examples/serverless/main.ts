/**
 * A generation of two minutes under a limit of 30 seconds, on this machine:
 *
 *   npm start                              # in another terminal
 *   node examples/serverless/main.ts
 */
import { followGeneration } from '../../clients/typescript/follow-generation.ts';
import { createClient } from '../../clients/typescript/index.ts';
import { readClientEnvironment } from '../../platform/config/client-environment.ts';
import { createFunction } from './function.ts';
import { startPlatform } from './platform.ts';

const limitMs = Number(process.env['LIMIT_MS'] ?? 30_000);
const { baseUrl, apiKey = '' } = readClientEnvironment();
const handler = createFunction({ apiUrl: baseUrl, apiKey, limitMs, marginMs: limitMs / 6 });
const platform = await startPlatform(handler, { limitMs });
// What stands in brackets is for the simulated provider: it says how long the answer is, and how slow.
const input = process.argv[2] ?? 'Tell me a long story. [[sim tokens=2400 delay_ms=50]]';

try {
  const { id } = await createClient({ baseUrl: platform.url }).submit({ input, cache: 'off' });
  const startedAt = performance.now();
  // No key: the function has it.
  for await (const event of followGeneration({ baseUrl: platform.url, generationId: id })) {
    if (event.type === 'text-delta') process.stdout.write(event.text);
  }
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
  console.error(`\n\n[${seconds} s by ${platform.requests} requests, of which ${platform.cuts} were cut]`);
} finally {
  await platform.stop();
}
