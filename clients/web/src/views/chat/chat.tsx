/** The chat: the conversations of this browser, and the one that is open. */
import { useEffect, useState } from 'preact/hooks';
import { goTo, linkTo, place } from '../../router.ts';
import { Icon } from '../parts.tsx';
import { Composer } from './composer.tsx';
import {
  type Conversation,
  DEFAULT_SETTINGS,
  deleteConversation,
  findConversation,
  isStorageFull,
  listConversations,
  newConversation,
  newId,
} from './conversations.ts';
import { TurnView } from './turn.tsx';

export function Chat() {
  const { id } = place.value;
  const stored = id === null ? null : findConversation(id);
  // Known before the first turn: a thread that got another key then would lose the keyboard's focus.
  const [newChatId, setNewChatId] = useState(newId);
  useEffect(() => {
    if (id === null && findConversation(newChatId) !== null) setNewChatId(newId());
  }, [id, newChatId]);
  return (
    <div class="chat">
      <History openId={id} />
      {id !== null && stored === null ? (
        <NotHere />
      ) : (
        <Thread key={id ?? newChatId} id={id ?? newChatId} stored={stored} />
      )}
    </div>
  );
}

function Thread({ id, stored }: { id: string; stored: Conversation | null }) {
  // What is changed here applies to the next turn, and to an answer that is generated again.
  const [settings, setSettings] = useState(stored?.settings ?? DEFAULT_SETTINGS);
  const conversation = { ...(stored ?? newConversation(id, settings)), settings };
  const { turns } = conversation;
  useEffect(() => {
    const { documentElement } = document;
    documentElement.scrollTop = documentElement.scrollHeight;
  }, [id]);
  return (
    <section class="thread-view" aria-label="Conversation">
      <h1 class="visually-hidden">{turns.length === 0 ? 'Chat' : conversation.title}</h1>
      {turns.length === 0 ? (
        <Invitation />
      ) : (
        <ol class="turns">
          {turns.map((turn, index) => (
            <TurnView key={index} conversation={conversation} turn={turn} index={index} />
          ))}
        </ol>
      )}
      {isStorageFull.value && (
        <p class="warning" role="alert">
          This browser has no more room: the conversation is not kept after this page is closed.
        </p>
      )}
      <Composer conversation={conversation} onSettings={setSettings} />
    </section>
  );
}

function History({ openId }: { openId: string | null }) {
  const conversations = listConversations();
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setOpen(false), [openId]);
  const drop = (id: string) => {
    deleteConversation(id);
    if (id === openId) goTo('chat');
  };
  return (
    <aside class="history" aria-label="Conversations">
      <div class="row">
        <a class="button" href={linkTo('chat')} aria-current={openId === null ? 'page' : undefined}>
          <Icon path="M12 5v14M5 12h14" />
          New chat
        </a>
        {conversations.length > 0 && (
          <button
            type="button"
            class="quiet toggle"
            aria-expanded={isOpen}
            aria-controls="history"
            onClick={() => setOpen(!isOpen)}
          >
            {conversations.length === 1 ? '1 earlier chat' : `${conversations.length} earlier chats`}
          </button>
        )}
      </div>
      <ul id="history" class={isOpen ? 'open' : ''}>
        {conversations.map(({ id, title }) => (
          <li key={id} class={id === openId ? 'current' : ''}>
            <a href={linkTo('chat', id)} aria-current={id === openId ? 'page' : undefined}>
              {title}
            </a>
            <button type="button" class="quiet icon-only" onClick={() => drop(id)}>
              <Icon path="M6 6l12 12M18 6L6 18" />
              <span class="visually-hidden">Delete {title}</span>
            </button>
          </li>
        ))}
      </ul>
    </aside>
  );
}

function NotHere() {
  return (
    <section class="card">
      <h1>This conversation is not in this browser</h1>
      <p class="muted">
        Conversations are kept by the browser that held them. The runs of every answer are in{' '}
        <a href={linkTo('runs')}>Runs</a>.
      </p>
    </section>
  );
}

function Invitation() {
  return (
    <div class="invitation">
      <svg viewBox="0 0 600 120" aria-hidden="true" focusable="false">
        <title>An unbroken line</title>
        <path class="ghost" d="M0 60h240m120 0h240" />
        <path class="mend" d="M240 60c30-44 90-44 120 0" />
        <circle cx="240" cy="60" r="5" />
        <circle cx="360" cy="60" r="5" />
      </svg>
      <h2>Nothing is lost when the connection drops</h2>
      <p class="muted">
        Ask something, then cut the connection, reload this page or stop the API in the middle of the answer.
        The generation continues, and the page resumes at the next event.
      </p>
    </div>
  );
}
