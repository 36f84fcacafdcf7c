/**
 * A process of readers. What a reader got is on disk before it asks for more, so the process may be killed at any
 * moment: the next one continues from the last whole line. `reader-main.ts <port> <folder>`; POST /follow {Following}.
 */
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { follow } from './follow.ts';
import { type Following, openNotebook, resumed } from './notebook.ts';

const [port, folder = ''] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const followed = new Set<string>();
const begin = (following: Following) => {
  if (followed.has(following.reader)) return;
  followed.add(following.reader);
  const notebook = openNotebook(folder, following);
  void follow(following, notebook);
};
for (const following of resumed(folder)) begin(following);
const server = createServer(async (request, response) => {
  begin((await json(request)) as Following);
  response.end('{}');
});
server.listen(Number(port), '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ ready: true, url: `http://127.0.0.1:${port}` })}\n`);
});
process.once('SIGTERM', () => process.exit(0));
