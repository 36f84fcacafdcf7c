/** One chat completion through any server that speaks OpenAI's format, read to its end. */
import { promptOf } from '../../test/harness/prompt.ts';
import { type StreamTimes, streamOnce } from './load.ts';

interface Answer {
  readonly tokens: number;
  readonly delayMs: number;
  readonly firstMs: number;
}

export function streamChat(url: string, key: string, answer: Answer): Promise<StreamTimes> {
  const messages = [{ role: 'user', content: promptOf(answer) }];
  return streamOnce({
    url: `${url}/v1/chat/completions`,
    key,
    body: { model: 'sim-large', messages, stream: true },
    isText: (chunk) => {
      const [choice] = (chunk['choices'] ?? []) as { delta?: { content?: string | null } }[];
      return Boolean(choice?.delta?.content);
    },
    onEvent: (chunk) => (chunk['error'] === undefined ? undefined : 'an error in the stream'),
  });
}
