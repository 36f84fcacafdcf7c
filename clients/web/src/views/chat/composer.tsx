/** Where a turn is written and sent. Results of tools come first, if the answer before has called some. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { goTo } from '../../router.ts';
import { clientWith } from '../../session.ts';
import { Failure } from '../parts.tsx';
import { sendTurn } from './answering.ts';
import {
  type Conversation,
  findConversation,
  openCalls,
  type Settings,
  shownAttempt,
  type ToolResult,
} from './conversations.ts';
import { SettingsForm, TargetSelect } from './settings-form.tsx';

const MAX_HEIGHT_PX = 240;

interface ComposerProps {
  readonly conversation: Conversation;
  readonly onSettings: (settings: Settings) => void;
}

export function Composer({ conversation, onSettings }: ComposerProps) {
  const [fault, setFault] = useState<Error | null>(null);
  const [text, setText] = useState('');
  const form = useRef<HTMLFormElement>(null);
  const calls = openCalls(conversation);
  const last = conversation.turns.at(-1);
  const attempt = last === undefined ? undefined : shownAttempt(last);
  const isRunning = attempt !== undefined && attempt.answer === null;
  const submit = async (event: Event) => {
    event.preventDefault();
    if (form.current === null || isRunning) return;
    const data = new FormData(form.current);
    const results = calls.map(
      ({ id }): ToolResult => ({ id, content: String(data.get(`result-${id}`) ?? '') }),
    );
    const turn = { question: text.trim(), results, attempts: [], shown: 0 };
    setFault(null);
    setText('');
    // The answer needs the room of the options.
    const options = form.current.querySelector('details');
    const wereOpen = options?.open === true;
    if (options !== null) options.open = false;
    try {
      const index = conversation.turns.length;
      const sent = sendTurn({ ...conversation, turns: [...conversation.turns, turn] }, index);
      // Not stored if it could not even be sent.
      if (findConversation(conversation.id) !== null) goTo('chat', conversation.id);
      await sent;
    } catch (error) {
      setText(text);
      if (options !== null) options.open = wereOpen;
      setFault(error instanceof SyntaxError ? new Error(`Tools: ${error.message}`) : errorFrom(error));
    }
  };
  return (
    <form ref={form} class="composer" onSubmit={submit} aria-label="Next turn">
      {fault !== null && <Failure error={fault} />}
      {calls.map(({ id, name }) => (
        <div class="field" key={id}>
          <label for={`result-${id}`}>
            Result of <code>{name}</code>
          </label>
          <textarea id={`result-${id}`} name={`result-${id}`} rows={2} required />
        </div>
      ))}
      <MessageField text={text} onText={setText} required={calls.length === 0} form={form} />
      <div class="row">
        <TargetSelect settings={conversation.settings} onSettings={onSettings} />
        {isRunning ? (
          <StopButton generationId={attempt?.generationId ?? null} onFault={setFault} />
        ) : (
          <button type="submit" class="main" aria-keyshortcuts="Enter Control+Enter">
            Send
          </button>
        )}
      </div>
      <SettingsForm settings={conversation.settings} onSettings={onSettings} />
    </form>
  );
}

interface MessageFieldProps {
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly required: boolean;
  readonly form: { readonly current: HTMLFormElement | null };
}

/** Grows with its text. Enter sends, Shift+Enter begins a line; while an input method composes, Enter is its own. */
function MessageField({ text, onText, required, form }: MessageFieldProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const { current } = field;
    if (current === null) return;
    current.style.height = 'auto';
    current.style.height = `${Math.min(MAX_HEIGHT_PX, current.scrollHeight + 2)}px`;
  }, [text]);
  const submitOnEnter = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.current?.requestSubmit();
  };
  return (
    <div class="field">
      <label for="message" class="visually-hidden">
        Message
      </label>
      <textarea
        ref={field}
        id="message"
        rows={1}
        required={required}
        value={text}
        placeholder="Why is the sky blue?"
        onInput={(event) => onText(event.currentTarget.value)}
        onKeyDown={submitOnEnter}
      />
    </div>
  );
}

interface StopButtonProps {
  readonly generationId: string | null;
  readonly onFault: (error: Error) => void;
}

function StopButton({ generationId, onFault }: StopButtonProps) {
  const [isCancelling, setCancelling] = useState(false);
  const cancel = async () => {
    if (generationId === null) return;
    setCancelling(true);
    try {
      await clientWith().cancel(generationId);
    } catch (error) {
      onFault(errorFrom(error));
      setCancelling(false);
    }
  };
  return (
    <button type="button" class="bad" disabled={isCancelling || generationId === null} onClick={cancel}>
      {isCancelling ? 'Cancelling' : 'Cancel'}
    </button>
  );
}

function errorFrom(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
