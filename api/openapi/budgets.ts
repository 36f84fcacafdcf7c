/** The routes of budgets in the OpenAPI document, with those that steer a running generation. */
import { z } from 'zod';
import { budgetLimitSchema } from '../../contracts/budgets.ts';
import {
  balancesQuerySchema,
  entriesQuerySchema,
  limitsQuerySchema,
  reconcileSchema,
} from '../routes/budgets/queries.ts';
import { capSchema } from '../routes/steer-generation.ts';
import { answer, failure, inPath, jsonContent, queryOf, requiredBody } from './parts.ts';

const answers = (description: string) => ({ 200: { description }, default: failure });
const accepted = { 202: answer('The generation', 'Generation'), default: failure };
const limitKey = queryOf(budgetLimitSchema.pick({ per: true, id: true, window: true, unit: true }));

export const budgetSchemas = { BudgetLimit: z.toJSONSchema(budgetLimitSchema, { io: 'input' }) };

export const budgetPaths = {
  '/v1/generations/{id}/cap': {
    post: {
      summary: 'Raise the output cap of a running generation',
      parameters: [inPath('id')],
      requestBody: { required: true, content: jsonContent(z.toJSONSchema(capSchema, { io: 'input' })) },
      responses: accepted,
    },
  },
  '/v1/generations/{id}/stop': {
    post: { summary: 'Stop a running generation', parameters: [inPath('id')], responses: accepted },
  },
  '/v1/budgets/limits': {
    get: {
      summary: 'List the limits',
      parameters: queryOf(limitsQuerySchema),
      responses: answers('A page of limits'),
    },
    put: {
      summary: 'Set a limit',
      requestBody: requiredBody('BudgetLimit'),
      responses: answers('The limit'),
    },
    delete: {
      summary: 'Remove a limit',
      parameters: limitKey,
      responses: { 204: { description: 'It is gone' }, default: failure },
    },
  },
  '/v1/budgets/balances': {
    get: {
      summary: 'What one user, team or key has spent, reserved and left',
      parameters: queryOf(balancesQuerySchema),
      responses: answers('The balances, window by window'),
    },
  },
  '/v1/budgets/entries': {
    get: {
      summary: 'List the entries of the ledger, oldest first',
      parameters: queryOf(entriesQuerySchema),
      responses: answers('A page of entries'),
    },
  },
  '/v1/budgets/reconcile': {
    post: {
      summary: 'Recompute all balances from entries',
      requestBody: {
        required: false,
        content: jsonContent(z.toJSONSchema(reconcileSchema, { io: 'input' })),
      },
      responses: answers('What differs'),
    },
  },
};
