/** The routes of budgets, and of a running generation's cap, in the OpenAPI document. */
import { z } from 'zod';
import { budgetLimitSchema } from '../../contracts/budgets.ts';
import {
  balancesQuerySchema,
  entriesQuerySchema,
  limitsQuerySchema,
  reconcileSchema,
} from '../routes/budgets/queries.ts';
import { capSchema } from '../routes/steer-generation.ts';

const json = (schema: object) => ({ 'application/json': { schema } });
const error = { description: 'An error of the table in docs/errors', content: json(ref('Error')) };
const inPath = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };

function ref(name: string) {
  return { $ref: `#/components/schemas/${name}` };
}

function inQuery(schema: z.ZodType) {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input' });
  return Object.entries(properties).map(([name, one]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema: one,
  }));
}

const answers = (description: string) => ({ 200: { description }, default: error });
const accepted = { 202: { description: 'The generation', content: json(ref('Generation')) }, default: error };
const limitKey = inQuery(budgetLimitSchema.pick({ per: true, id: true, window: true, unit: true }));

export const budgetSchemas = { BudgetLimit: z.toJSONSchema(budgetLimitSchema, { io: 'input' }) };

export const budgetPaths = {
  '/v1/generations/{id}/cap': {
    post: {
      summary: 'Raise the output cap of a running generation',
      parameters: [inPath],
      requestBody: { required: true, content: json(z.toJSONSchema(capSchema, { io: 'input' })) },
      responses: accepted,
    },
  },
  '/v1/generations/{id}/stop': {
    post: { summary: 'Stop a running generation', parameters: [inPath], responses: accepted },
  },
  '/v1/budgets/limits': {
    get: {
      summary: 'List the limits',
      parameters: inQuery(limitsQuerySchema),
      responses: answers('A page of limits'),
    },
    put: {
      summary: 'Set a limit',
      requestBody: { required: true, content: json(ref('BudgetLimit')) },
      responses: answers('The limit'),
    },
    delete: {
      summary: 'Take a limit back',
      parameters: limitKey,
      responses: { 204: { description: 'It is gone' }, default: error },
    },
  },
  '/v1/budgets/balances': {
    get: {
      summary: 'What one user, team or key has spent, reserved and left',
      parameters: inQuery(balancesQuerySchema),
      responses: answers('The balances, window by window'),
    },
  },
  '/v1/budgets/entries': {
    get: {
      summary: 'List the entries of the ledger, oldest first',
      parameters: inQuery(entriesQuerySchema),
      responses: answers('A page of entries'),
    },
  },
  '/v1/budgets/reconcile': {
    post: {
      summary: 'Recompute all balances from entries',
      requestBody: { required: false, content: json(z.toJSONSchema(reconcileSchema, { io: 'input' })) },
      responses: answers('What differs'),
    },
  },
};
