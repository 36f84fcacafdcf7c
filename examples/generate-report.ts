/** Asks for a long report and prints it as it comes. Run `npm start` first, then: node examples/generate-report.ts */
import { readFile } from 'node:fs/promises';
import { createClient } from '../clients/typescript/index.ts';
import { readClientEnvironment } from '../platform/config/client-environment.ts';

const client = createClient(readClientEnvironment());
const input = await readFile(new URL('brief.md', import.meta.url), 'utf8');
for await (const event of await client.generate({ input })) {
  if (event.type === 'text-delta') process.stdout.write(event.text);
  if (event.type === 'text-reset') process.stdout.write('\n--- the text above is void ---\n');
}
