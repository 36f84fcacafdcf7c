'use client';

import { useChat } from '@ai-sdk/react';
import type { UIMessage } from 'ai';
import { type FormEvent, useState } from 'react';

export function Chat({ id, messages: stored }: { id: string; messages: UIMessage[] }) {
  // After a reload, `resume` asks for the answer that is on its way, and receives it from its beginning.
  const { messages, sendMessage, status, error } = useChat({ id, messages: stored, resume: true });
  const [input, setInput] = useState('');
  const isBusy = status === 'submitted' || status === 'streaming';

  function send(event: FormEvent) {
    event.preventDefault();
    if (input.trim() === '' || isBusy) return;
    void sendMessage({ text: input });
    setInput('');
  }

  return (
    <main>
      <h1>Chat</h1>
      {messages.map((message) => (
        <section key={message.id} aria-label={message.role === 'user' ? 'Question' : 'Answer'}>
          <h2>{message.role === 'user' ? 'You' : 'Answer'}</h2>
          <div className="message">{textOf(message)}</div>
        </section>
      ))}
      {error && <p role="alert">{error.message}</p>}
      <p role="status">{isBusy ? 'The answer is being written.' : ''}</p>
      <form onSubmit={send}>
        <textarea aria-label="Message" value={input} onChange={(event) => setInput(event.target.value)} />
        {isBusy ? (
          <button type="button" onClick={() => void stop(id)}>
            Stop
          </button>
        ) : (
          <button type="submit">Send</button>
        )}
      </form>
    </main>
  );
}

/** On the server: to close the connection would only stop the reading. */
async function stop(id: string): Promise<void> {
  await fetch(`/api/chat/${id}/stream`, { method: 'DELETE' });
}

function textOf({ parts }: UIMessage): string {
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
}
