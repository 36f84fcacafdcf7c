import { AssertionError } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { ErrorReply, SocketClosedUnexpectedlyError } from 'redis';
import { ZodError } from 'zod';
import { LIMITS } from '../../contracts/limits.ts';
import { NO_USAGE } from '../../contracts/money.ts';
import { ENDLESS_STEPS, type GivenUp, giveUpSteps } from '../../worker/give-up-steps.ts';
import { orderOf, outcomeWith, stubActivities } from '../workflows/workflow-environment.ts';

const step = { order: orderOf({ generationId: 'gen_1' }), outcome: outcomeWith({ usage: NO_USAGE }) };

/** What becomes of a settlement that fails by `error` in this attempt. */
async function settleFailing(error: unknown, attempt = 1) {
  const reported: GivenUp[] = [];
  const failing = stubActivities({
    settleBudget: async () => {
      throw error;
    },
  });
  const activities = giveUpSteps(failing.activities, (step) => reported.push(step));
  const environment = new MockActivityEnvironment({ attempt });
  const thrown: unknown = await environment
    .run(activities.settleBudget, step)
    .catch((reason: unknown) => reason);
  return { thrown, reported };
}

const REFUSALS: readonly [string, unknown][] = [
  ['a script that fails', new ErrorReply('ERR user_script:18: invalid unicode escape')],
  ['a key of another type', new ErrorReply('WRONGTYPE Operation against a key holding the wrong kind')],
  ['data of another shape', new ZodError([])],
  ['a number that cannot be booked', new RangeError('tokens must be a whole number from 0, but is 1.5')],
  ['a broken invariant', new AssertionError({ message: 'the events of a log are in order' })],
  ['text that is not JSON', new SyntaxError('Unexpected token')],
];

describe('a step that must happen', () => {
  test.each(REFUSALS)('is given up at once for %s, and reported to an operator', async (_, error) => {
    const { thrown, reported } = await settleFailing(error);
    expect(thrown).toBeInstanceOf(ApplicationFailure);
    expect(thrown).toMatchObject({ nonRetryable: true, type: 'internal' });
    expect(reported).toEqual([{ step: 'settleBudget', generationId: 'gen_1', attempt: 1, error }]);
  });

  test.each<[string, unknown]>([
    ['a connection that broke', new SocketClosedUnexpectedlyError()],
    ['a Redis that is loading its file', new ErrorReply('LOADING Redis is loading the dataset in memory')],
    ['a Redis without memory', new ErrorReply('OOM command not allowed when used memory > maxmemory')],
    ['a connection that is refused', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })],
  ])('is retried for as long as it takes after %s', async (_, error) => {
    const { thrown, reported } = await settleFailing(error, 10_000);
    expect([thrown, reported]).toEqual([error, []]);
  });

  test('is given up after a number of retries of an unknown error', async () => {
    const error = new Error('odd');
    expect((await settleFailing(error, LIMITS.oddErrorAttempts - 1)).thrown).toBe(error);
    const { thrown, reported } = await settleFailing(error, LIMITS.oddErrorAttempts);
    expect(thrown).toMatchObject({ nonRetryable: true });
    expect(reported).toHaveLength(1);
  });

  test('that fails deliberately decides itself whether it is retried', async () => {
    const failure = ApplicationFailure.create({ type: 'input_lost', nonRetryable: true });
    const { thrown, reported } = await settleFailing(failure, 10_000);
    expect([thrown, reported]).toEqual([failure, []]);
  });

  test('is every one that a workflow retries without a limit', () => {
    const proxies =
      /const \{([^}]+)\} = proxy(?:Local)?Activities<Activities>\((?:BEGIN|MUST_HAPPEN|JOB_STEP|BATCH_STEP)\)/g;
    const folder = join(import.meta.dirname, '../../workflows');
    const sources = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    const proxied = [...sources.join('\n').matchAll(proxies)].flatMap(([, names = '']) => names.split(','));
    const names = new Set(proxied.map((name) => name.trim()));
    expect([...names].sort()).toEqual([...ENDLESS_STEPS].sort());
  });
});
