/** The clients of npm, in the order of the table. */
import { aiSdkClients } from './ai-sdk.ts';
import { anthropic } from './anthropic.ts';
import type { ClientUnderTest } from './bench.ts';
import { eventSource } from './event-source.ts';
import { openAiChat } from './openai-chat.ts';
import { openAiResponses } from './openai-responses.ts';
import { openAiWebSocket } from './openai-websocket.ts';
import { uiChat } from './ui-chat.ts';

export const CLIENTS: readonly ClientUnderTest[] = [
  openAiResponses,
  openAiWebSocket,
  openAiChat,
  anthropic,
  ...aiSdkClients,
  uiChat,
  eventSource,
];
