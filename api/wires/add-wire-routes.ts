/** The routes of other vendors' formats, each a folder of its own. */
import type { Router } from 'express';
import type { ApiDependencies } from '../dependencies.ts';
import { addResponsesRoutes } from './openai-responses/routes.ts';

export function addWireRoutes(v1: Router, dependencies: ApiDependencies): void {
  addResponsesRoutes(v1, dependencies);
}
