/** The newest answer of a chat: `useChat({ resume: true })` gets it from its beginning, and DELETE stops it. */
import { callUnbroken } from '../../../../../lib/unbroken';

interface Context {
  readonly params: Promise<{ id: string }>;
}

async function forward(request: Request, { params }: Context): Promise<Response> {
  const { id } = await params;
  return callUnbroken(`/v1/ui/chat/${encodeURIComponent(id)}/stream`, { method: request.method });
}

export { forward as DELETE, forward as GET };
