/** The messages of each chat. Files stand in for your database. */
import 'server-only';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UIMessage } from 'ai';

const FOLDER = join(process.cwd(), '.chats');
const CHAT_ID = /^[\w-]{1,64}$/;

export async function loadChat(id: string): Promise<UIMessage[]> {
  if (!CHAT_ID.test(id)) return [];
  try {
    return JSON.parse(await readFile(join(FOLDER, `${id}.json`), 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

export async function saveChat(id: string, messages: readonly UIMessage[]): Promise<void> {
  if (!CHAT_ID.test(id)) throw new Error('a chat id has letters, digits, - and _');
  await mkdir(FOLDER, { recursive: true });
  const unfinished = join(FOLDER, `${id}.${crypto.randomUUID()}`);
  await writeFile(unfinished, JSON.stringify(messages));
  await rename(unfinished, join(FOLDER, `${id}.json`));
}
