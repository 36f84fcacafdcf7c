/** Open Responses: what the server sends, against the models that others have published as a Python package. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { OPEN_RESPONSES_CASES } from '../../harness/open-responses/cases.ts';
import { runOpenResponses } from '../../harness/open-responses/run-cases.ts';
import { type Sample, validate } from '../../harness/open-responses/validate.ts';
import { type Stack, startStack } from '../../harness/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack?.stop());

test('every object and every event of every case is valid', async () => {
  const reports = await runOpenResponses(stack, OPEN_RESPONSES_CASES);
  expect(reports.filter(({ faults }) => faults.length > 0)).toEqual([]);
  expect(reports.length).toBeGreaterThan(15);
});

test('an object without a required field, and an unknown event, are not valid', async () => {
  const samples: Sample[] = [
    { model: 'ResponseResource', value: { id: 'resp_1', object: 'response' } },
    { model: null, value: { type: 'response.unheard_of' } },
  ];
  const [response, event] = await validate(samples);
  expect(response).toContain('ResponseResource: store: Field required');
  expect(event).toEqual(['there is no event response.unheard_of']);
});
