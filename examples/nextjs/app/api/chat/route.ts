/** Starts an answer. `useChat` posts here. */
import type { UIMessage } from 'ai';
import { saveChat } from '../../../lib/chats';
import { callUnbroken } from '../../../lib/unbroken';

export async function POST(request: Request): Promise<Response> {
  const chat: { id: string; messages: UIMessage[] } = await request.json();
  // Put your sign-in here, and check that this user may write to this chat.
  const user = 'demo-user';
  await saveChat(chat.id, chat.messages);
  // Without the signal of the request: a reader who leaves does not stop the answer.
  return callUnbroken('/v1/ui/chat', { method: 'POST', body: JSON.stringify({ ...chat, user }) });
}
