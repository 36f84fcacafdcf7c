/** One turn: the question, and the answer of the attempt that is shown. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Answer } from '../../generation-state.ts';
import { linkTo } from '../../router.ts';
import { CopyButton } from '../copy-button.tsx';
import { Failure } from '../parts.tsx';
import { ConnectionControls } from '../run/connection-controls.tsx';
import { sentenceOf } from '../run/sentence-of.ts';
import { Thread } from '../run/thread.tsx';
import { AnswerBody } from './answer-body.tsx';
import { AnswerFoot } from './answer-foot.tsx';
import { followerOf, knownFollower, resendTurn, sendTurn } from './answering.ts';
import {
  type Attempt,
  type Conversation,
  saveConversation,
  shownAttempt,
  type Turn,
} from './conversations.ts';
import { useScrollAlong } from './use-scroll-along.ts';

interface TurnProps {
  readonly conversation: Conversation;
  readonly turn: Turn;
  readonly index: number;
}

export function TurnView({ conversation, turn, index }: TurnProps) {
  const attempt = shownAttempt(turn);
  return (
    <li class="turn">
      <div class="question">
        {turn.results.map(({ id, content }) => (
          <p key={id} class="result">
            <span class="muted">Tool result</span> <code>{content}</code>
          </p>
        ))}
        {turn.question !== '' && <p>{turn.question}</p>}
      </div>
      <article class="reply" aria-label={`Reply ${index + 1}`}>
        {attempt !== undefined &&
          (attempt.generationId === null && attempt.answer === null ? (
            <Pending conversation={conversation} index={index} attempt={attempt} />
          ) : (
            <Reply
              key={attempt.idempotencyKey}
              conversationId={conversation.id}
              attempt={{ ...attempt, generationId: attempt.generationId ?? '' }}
              actions={
                <Actions conversation={conversation} turn={turn} index={index} answer={attempt.answer} />
              }
            />
          ))}
      </article>
    </li>
  );
}

interface PendingProps {
  readonly conversation: Conversation;
  readonly index: number;
  readonly attempt: Attempt;
}

/** An attempt that is being sent, or that an earlier page may not have sent. */
function Pending({ conversation, index, attempt }: PendingProps) {
  const [fault, setFault] = useState<Error | null>(null);
  const send = () => {
    setFault(null);
    resendTurn(conversation, index, attempt).catch((error: unknown) => {
      setFault(error instanceof Error ? error : new Error(String(error)));
    });
  };
  useEffect(send, [attempt.idempotencyKey]);
  if (fault === null) return <p class="connection">Sending.</p>;
  return (
    <>
      <Failure error={fault} />
      <p>
        <button type="button" onClick={send}>
          Send again
        </button>
      </p>
    </>
  );
}

interface ReplyProps {
  readonly conversationId: string;
  readonly attempt: {
    readonly generationId: string;
    readonly idempotencyKey: string;
    readonly answer: Answer | null;
  };
  readonly actions: preact.ComponentChildren;
}

function Reply({ conversationId, attempt, actions }: ReplyProps) {
  const { generationId, answer } = attempt;
  // An answer that ended before this page was loaded needs no connection.
  const follower = useMemo(
    () => (answer === null ? followerOf(conversationId, attempt) : knownFollower(generationId)),
    [conversationId, generationId],
  );
  const running = follower?.state.value.status === 'running' ? follower.state.value : null;
  useScrollAlong(running?.lastSeq, running !== null);
  if (follower === undefined) {
    return answer === null ? null : (
      <>
        <AnswerBody answer={answer} />
        <AnswerFoot answer={answer} actions={actions} />
      </>
    );
  }
  const state = follower.state.value;
  const connection = follower.connection.value;
  const breaks = follower.breaks.value;
  const isRunning = state.status === 'running';
  if (connection.state === 'refused' && isRunning) return <Failure error={connection.error} />;
  return (
    <>
      <AnswerBody answer={state} voided={state.voided} />
      {(isRunning || breaks.length > 0) && <Thread state={state} breaks={breaks} connection={connection} />}
      <div class="row connection-row">
        <p class={isRunning ? 'connection' : 'connection visually-hidden'} role="status">
          {sentenceOf(connection, state)}
        </p>
        <div class="actions">
          {isRunning && (
            <a class="timeline-link" href={linkTo('runs', generationId)}>
              Timeline
            </a>
          )}
          <ConnectionControls follower={follower} />
        </div>
      </div>
      {!isRunning && <AnswerFoot answer={state} actions={actions} />}
    </>
  );
}

interface ActionsProps extends TurnProps {
  readonly answer: Answer | null;
}

function Actions({ conversation, turn, index, answer }: ActionsProps) {
  const [fault, setFault] = useState<Error | null>(null);
  const isLast = index === conversation.turns.length - 1;
  const send = (continues?: string) => {
    setFault(null);
    sendTurn(conversation, index, continues).catch((error: unknown) => {
      setFault(error instanceof Error ? error : new Error(String(error)));
    });
  };
  const show = (shown: number) => {
    const turns = conversation.turns.map((other, at) => (at === index ? { ...turn, shown } : other));
    saveConversation({ ...conversation, turns });
  };
  return (
    <div class="actions">
      {turn.attempts.length > 1 && (
        <fieldset class="versions">
          <legend class="visually-hidden">Answers to this question</legend>
          <button
            type="button"
            class="small"
            disabled={turn.shown === 0}
            onClick={() => show(turn.shown - 1)}
          >
            <span aria-hidden="true">‹</span>
            <span class="visually-hidden">Previous answer</span>
          </button>
          <span>
            {turn.shown + 1} of {turn.attempts.length}
          </span>
          <button
            type="button"
            class="small"
            disabled={turn.shown === turn.attempts.length - 1}
            onClick={() => show(turn.shown + 1)}
          >
            <span aria-hidden="true">›</span>
            <span class="visually-hidden">Next answer</span>
          </button>
        </fieldset>
      )}
      {answer !== null && answer.text !== '' && <CopyButton what="answer" text={() => answer.text} />}
      {isLast && answer?.finishReason === 'length' && (
        <button type="button" class="small" onClick={() => send(answer.id)}>
          Continue
        </button>
      )}
      {isLast && (
        <button type="button" class="small" onClick={() => send()}>
          Regenerate
        </button>
      )}
      {fault !== null && <Failure error={fault} />}
    </div>
  );
}
