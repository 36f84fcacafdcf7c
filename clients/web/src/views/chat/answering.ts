/** Sends turns, and follows the answers that run: one follower for each, also while another conversation is shown. */
import { effect } from '@preact/signals';
import { ClientError } from '../../../../typescript/index.ts';
import { GenerationFollower } from '../../generation-follower.ts';
import type { Answer, GenerationState } from '../../generation-state.ts';
import { clientWith, stage } from '../../session.ts';
import {
  type Attempt,
  type Conversation,
  findConversation,
  newId,
  saveConversation,
  updateAttempt,
} from './conversations.ts';
import { requestOf } from './request-of.ts';

const followers = new Map<string, GenerationFollower>();
/** The keys of requests that are being sent. */
const sending = new Set<string>();

effect(() => {
  if (stage.value === 'signed-in') return;
  for (const follower of followers.values()) follower.stop();
  followers.clear();
});

/**
 * Adds an attempt to a turn and sends it. Throws what failed. What the API refused is taken back; what it may have
 * received stays, to be sent again under the same key.
 * @param continues the answer, cut at its length limit, that the new one continues.
 */
export async function sendTurn(conversation: Conversation, index: number, continues?: string): Promise<void> {
  const attempt: Attempt = {
    idempotencyKey: newId(),
    generationId: null,
    answer: null,
    ...(continues === undefined ? {} : { continues }),
  };
  // Before it is stored: this throws when the settings are wrong.
  const request = requestOf(conversation, index);
  const turns = conversation.turns.map((turn, at) => {
    if (at !== index) return turn;
    const attempts = [...turn.attempts, attempt];
    return { ...turn, attempts, shown: attempts.length - 1 };
  });
  saveConversation({ ...conversation, turns });
  await submit(conversation.id, attempt, request);
}

/** Sends an attempt that was stored but not accepted before the page was closed. */
export async function resendTurn(conversation: Conversation, index: number, attempt: Attempt): Promise<void> {
  await submit(conversation.id, attempt, requestOf(conversation, index));
}

async function submit(
  conversationId: string,
  { idempotencyKey, continues }: Attempt,
  request: ReturnType<typeof requestOf>,
): Promise<void> {
  if (sending.has(idempotencyKey)) return;
  sending.add(idempotencyKey);
  const client = clientWith();
  const options = { idempotencyKey };
  try {
    const { id } =
      continues === undefined
        ? await client.submit(request, options)
        : await client.continue(continues, {}, options);
    updateAttempt(conversationId, idempotencyKey, { generationId: id });
  } catch (error) {
    if (error instanceof ClientError) takeBack(conversationId, idempotencyKey);
    throw error;
  } finally {
    sending.delete(idempotencyKey);
  }
}

/** A turn without any attempt returns to the composer, so it is removed. */
function takeBack(conversationId: string, idempotencyKey: string): void {
  const conversation = findConversation(conversationId);
  if (conversation === null) return;
  const turns = conversation.turns
    .map((turn) => {
      const attempts = turn.attempts.filter((attempt) => attempt.idempotencyKey !== idempotencyKey);
      return { ...turn, attempts, shown: Math.max(0, attempts.length - 1) };
    })
    .filter(({ attempts }) => attempts.length > 0);
  saveConversation({ ...conversation, turns });
}

/** The follower of a running answer, which stores the answer when it has ended. */
export function followerOf(
  conversationId: string,
  { generationId, idempotencyKey }: { generationId: string; idempotencyKey: string },
): GenerationFollower {
  const known = followers.get(generationId);
  if (known !== undefined) return known;
  const follower = new GenerationFollower(generationId);
  followers.set(generationId, follower);
  const stop = effect(() => {
    const answer = endedAnswer(follower);
    if (answer === null) return;
    queueMicrotask(() => {
      stop();
      updateAttempt(conversationId, idempotencyKey, { answer });
    });
  });
  return follower;
}

/** Of a follower that this page load has had: how the answer arrived. */
export function knownFollower(generationId: string): GenerationFollower | undefined {
  return followers.get(generationId);
}

function endedAnswer(follower: GenerationFollower): Answer | null {
  const state = follower.state.value;
  const connection = follower.connection.value;
  if (state.status !== 'running') return answerOf(state);
  if (connection.state !== 'refused') return null;
  const { error } = connection;
  // The log has expired or was deleted. After any other refusal, a reload follows it again.
  if (!(error instanceof ClientError) || (error.status !== 404 && error.status !== 410)) return null;
  const { code, message, doc = '' } = error;
  return { ...answerOf(state), status: 'failed', error: { code, message, doc } };
}

/** Without what only the run's own view needs. */
function answerOf(state: GenerationState): Answer {
  const {
    journal: _j,
    stretches: _s,
    timeline: _t,
    voided: _v,
    lastSeq: _q,
    lastAtMs: _a,
    ...answer
  } = state;
  return answer;
}
