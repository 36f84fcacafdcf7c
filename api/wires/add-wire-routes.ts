/** Adds the routes of other vendors' formats; each format has its folder. */
import type { Router } from 'express';
import type { ApiDependencies } from '../dependencies.ts';
import { addUiRoutes } from './ai-sdk-ui/routes.ts';
import { addMessagesRoutes } from './anthropic-messages/routes.ts';
import { addChatRoutes } from './openai-chat/routes.ts';
import { addConversationRoutes } from './openai-conversations/routes.ts';
import { addEmbeddingsRoutes } from './openai-embeddings/routes.ts';
import { addResponsesRoutes } from './openai-responses/routes.ts';

export function addWireRoutes(v1: Router, dependencies: ApiDependencies): void {
  addResponsesRoutes(v1, dependencies);
  addConversationRoutes(v1, dependencies);
  addChatRoutes(v1, dependencies);
  addEmbeddingsRoutes(v1, dependencies);
  addMessagesRoutes(v1, dependencies);
  addUiRoutes(v1, dependencies);
}
