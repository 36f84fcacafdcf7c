/** The thread's side of `ThreadRunner`: it handles one request after the other and sends one reply to each. */
import { parentPort } from 'node:worker_threads';

type Outcome = { readonly value: unknown } | { readonly error: string };

export type MessageToThread =
  | { readonly kind: 'request'; readonly id: number; readonly request: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly outcome: Outcome }
  /** The thread ends as soon as it has handled what it has begun. */
  | { readonly kind: 'end' };
export type MessageFromThread =
  /** The thread has loaded what it needs; the owner sends no request before that. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'reply'; readonly id: number; readonly outcome: Outcome }
  | { readonly kind: 'question'; readonly id: number; readonly question: unknown };

/** Asks the thread's owner, while a request is handled. Rejects with what the owner's `answer` threw. */
type AskOwner = (question: unknown) => Promise<unknown>;
type Handle = (request: unknown) => unknown;

/**
 * Call it once, in the file that the thread runs.
 * @param load returns the handler of requests. If it throws, the thread ends and the owner receives the error.
 */
export async function serveThread(load: (askOwner: AskOwner) => Promise<Handle> | Handle): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('This file runs as a thread only.');
  const send = (message: MessageFromThread) => port.postMessage(message);
  const questions = new Map<number, PromiseWithResolvers<unknown>>();
  let lastQuestion = 0;
  const handle = await load((question) => {
    const answer = Promise.withResolvers<unknown>();
    lastQuestion += 1;
    questions.set(lastQuestion, answer);
    send({ kind: 'question', id: lastQuestion, question });
    return answer.promise;
  });
  let working: Promise<Outcome> | undefined;
  port.on('message', async (message: MessageToThread) => {
    if (message.kind === 'end') {
      await working;
      port.close();
      return;
    }
    const { id } = message;
    if (message.kind === 'request') {
      working = outcomeOf(() => handle(message.request));
      send({ kind: 'reply', id, outcome: await working });
      return;
    }
    const { outcome } = message;
    if ('value' in outcome) questions.get(id)?.resolve(outcome.value);
    else questions.get(id)?.reject(new Error(outcome.error));
    questions.delete(id);
  });
  send({ kind: 'ready' });
}

/** Errors cross threads as their message: a copy would not be an instance of the other thread's class. */
export async function outcomeOf(work: () => unknown): Promise<Outcome> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
