/** Adds the routes of other vendors' formats; each format has its folder. */
import type { Router } from 'express';
import type { ApiDependencies } from '../dependencies.ts';
import { addUiRoutes } from './ai-sdk-ui/routes.ts';
import { addMessageBatchRoutes, addMessageBatchUpload } from './anthropic-batches/routes.ts';
import { addMessagesRoutes } from './anthropic-messages/routes.ts';
import { addBatchRoutes } from './openai-batches/routes.ts';
import { addChatRoutes } from './openai-chat/routes.ts';
import { addConversationRoutes } from './openai-conversations/routes.ts';
import { addEmbeddingsRoutes } from './openai-embeddings/routes.ts';
import { addFileRoutes, addUploadRoute } from './openai-files/routes.ts';
import { addResponsesRoutes } from './openai-responses/routes.ts';

/** Routes that read their body as it arrives. They come before the code that reads a body as a whole. */
export function addUploadRoutes(v1: Router, dependencies: ApiDependencies): void {
  addUploadRoute(v1, dependencies);
  addMessageBatchUpload(v1, dependencies);
}

export function addWireRoutes(v1: Router, dependencies: ApiDependencies): void {
  addResponsesRoutes(v1, dependencies);
  addConversationRoutes(v1, dependencies);
  addChatRoutes(v1, dependencies);
  addEmbeddingsRoutes(v1, dependencies);
  addMessagesRoutes(v1, dependencies);
  addFileRoutes(v1, dependencies);
  addBatchRoutes(v1, dependencies);
  addMessageBatchRoutes(v1, dependencies);
  addUiRoutes(v1, dependencies);
}
