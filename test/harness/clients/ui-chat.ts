/** `useChat` of `@ai-sdk/react`, and the `Chat` that it is made of, over `DefaultChatTransport` of `ai`. */

import { createRequire } from 'node:module';
import { Chat, type UseChatHelpers, useChat } from '@ai-sdk/react';
import { DefaultChatTransport, type UIMessage } from 'ai';
import { Window } from 'happy-dom';
import { endWith, RESET, START, texts } from '../script.ts';
import { waitFor } from '../wait-for.ts';
import {
  type ClientUnderTest,
  fieldOf,
  holds,
  LONG,
  MODEL,
  NO_CACHE,
  newKey,
  oneCall,
  question,
  same,
  TOOL_ARGUMENTS,
  TOOL_RESULT,
  TOOL_SCHEMA,
  toolQuestion,
  waitForStatus,
} from './bench.ts';

// React's types would put empty DOM classes over those of other packages; of React, two functions are used.
const load = createRequire(import.meta.url);
const { createElement }: { createElement(component: () => null): object } = load('react');
const { createRoot }: { createRoot(into: object): { render(element: object): void; unmount(): void } } =
  load('react-dom/client');

interface Place {
  readonly url: string;
  readonly key: string;
  readonly headers?: Record<string, string>;
  readonly body?: object;
}

function chatAt(
  { url, key, headers = NO_CACHE, body = {} }: Place,
  id = newKey(),
  messages: UIMessage[] = [],
) {
  return new Chat({
    id,
    messages,
    transport: new DefaultChatTransport({
      api: `${url}/v1/ui/chat`,
      headers: { authorization: `Bearer ${key}`, ...headers },
      body: { model: MODEL, ...body },
    }),
  });
}

type Shown = Pick<UseChatHelpers<UIMessage>, 'messages' | 'status'>;

/** React looks there for the event that calls it; a whole window would make other clients think of a browser. */
Object.assign(globalThis, { window: {} });

/** A page of React with `useChat({ resume: true })`, mounted as after a reload. */
function mountChat({ url, key }: Place, id: string, messages: UIMessage[]) {
  let shown: Shown = { messages: [], status: 'ready' };
  const statuses: string[] = [];
  const transport = new DefaultChatTransport({
    api: `${url}/v1/ui/chat`,
    headers: { authorization: `Bearer ${key}` },
    fetch: async (target, init) => {
      const response = await fetch(target, init);
      statuses.push(String(response.status));
      return response;
    },
  });
  const Page = () => {
    shown = useChat({ id, messages, transport, resume: true });
    return null;
  };
  const { document } = new Window();
  const root = createRoot(document.createElement('div'));
  root.render(createElement(Page));
  return { chat: () => shown, statuses, unmount: () => root.unmount() };
}

const answerOf = (chat: Pick<Shown, 'messages'>) => {
  const last = chat.messages.at(-1);
  const parts = last?.role === 'assistant' ? last.parts : [];
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
};

const generationOf = (chat: Chat<UIMessage>) =>
  String(fieldOf(chat.messages.at(-1)?.metadata, 'generationId'));

export const uiChat: ClientUnderTest = {
  name: 'ai + @ai-sdk/react, useChat',
  behaviours: {
    plain: async (bench) => {
      const { input, text } = await question(bench);
      const chat = chatAt(bench);
      await chat.sendMessage({ text: input });
      same('status', chat.status, 'ready');
      same('text', answerOf(chat), text);
    },
    streaming: async (bench) => {
      // Text that is voided is taken back from the message, and the new one takes its place.
      const key = newKey();
      const chat = chatAt({
        url: bench.scriptedUrl,
        key: bench.scriptedKey,
        headers: { 'idempotency-key': key },
      });
      const sent = chat.sendMessage({ text: 'Tell me.' });
      await bench.script.play(key, [START, ...texts('wrong')]);
      await waitFor('the first text', () => answerOf(chat) === 'wrong');
      await bench.script.play(key, [RESET, ...texts('ri', 'ght'), endWith()]);
      await sent;
      same('text', answerOf(chat), 'right');
    },
    'tool call': async (bench) => {
      const chat = chatAt({ ...bench, body: { tools: [{ name: 'weather', parameters: TOOL_SCHEMA }] } });
      await chat.sendMessage({ text: toolQuestion() });
      const call = chat.messages.at(-1)?.parts.find((part) => part.type === 'tool-weather');
      same('state', fieldOf(call, 'state'), 'input-available');
      same('input', fieldOf(call, 'input'), TOOL_ARGUMENTS);
      const toolCallId = String(fieldOf(call, 'toolCallId'));
      await chat.addToolOutput({ tool: 'weather', toolCallId, output: TOOL_RESULT });
      const called = structuredClone(chat.messages);
      await chat.sendMessage();
      same('status', chat.status, 'ready');
      holds(
        'an answer in words, in the same message',
        answerOf(chat).length > 50 && chat.messages.length === 2,
      );
      // A reload finds the call and its result in the message, too.
      for (const messages of [called, structuredClone(chat.messages)]) {
        const late = chatAt(bench, chat.id, messages);
        await late.resumeStream();
        const kinds = (of: typeof chat) => of.messages.flatMap(({ parts }) => parts.map(({ type }) => type));
        same('parts', kinds(late), kinds(chat));
        same('text', answerOf(late), answerOf(chat));
      }
    },
    resume: (bench) =>
      oneCall(bench, async () => {
        const { input, text } = await question(bench, { tokens: 200, delayMs: 5 });
        const chat = chatAt(bench);
        void chat.sendMessage({ text: input });
        await waitFor('some text', () => answerOf(chat).length > 20);
        const questions = chat.messages.filter(({ role }) => role === 'user');
        // A reload of the page: what was there is gone, and only the id of the chat is known.
        await chat.stop();
        const half = chat.messages;
        const page = mountChat(bench, chat.id, questions);
        await waitFor('the whole text on the page', () => answerOf(page.chat()) === text);
        await waitFor('the end', () => page.chat().status === 'ready');
        page.unmount();
        // The answer has ended: a page that has nothing of it, half of it or all of it has the whole of it once.
        for (const messages of [questions, half, page.chat().messages]) {
          const late = mountChat(bench, chat.id, messages);
          await waitFor('an answer to the page', () => late.statuses.length > 0);
          await waitFor('the end', () => late.chat().status === 'ready' && answerOf(late.chat()) === text);
          same('messages', late.chat().messages.length, questions.length + 1);
          late.unmount();
        }
        const other = mountChat(bench, newKey(), []);
        await waitFor('an answer to the page', () => other.statuses.length > 0);
        same('a chat that never was', other.statuses, ['204']);
        other.unmount();
      }),
    error: async (bench) => {
      const chat = chatAt({ ...bench, body: { model: 'no-such' } });
      await chat.sendMessage({ text: 'x' });
      same('status', chat.status, 'error');
      holds('the message says why', chat.error?.message.includes('model_not_found') === true);
    },
    cancel: async (bench) => {
      const { input } = await question(bench, LONG);
      const chat = chatAt(bench);
      const sent = chat.sendMessage({ text: input });
      await waitFor('some text', () => answerOf(chat).length > 20);
      const stopped = await fetch(`${bench.url}/v1/ui/chat/${chat.id}/stream`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${bench.key}` },
      });
      same('status', stopped.status, 204);
      await sent;
      await waitForStatus(bench, generationOf(chat), 'cancelled');
    },
  },
};
