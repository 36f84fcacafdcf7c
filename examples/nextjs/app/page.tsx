import { redirect } from 'next/navigation';

/** Each visit begins a chat; its address is where it continues. */
export const dynamic = 'force-dynamic';

export default function NewChat() {
  redirect(`/chat/${crypto.randomUUID()}`);
}
