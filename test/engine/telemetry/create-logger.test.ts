import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { createLogger } from '../../../engine/telemetry/create-logger.ts';

function linesOf(act: (logger: ReturnType<typeof createLogger>) => void): unknown[] {
  const lines: unknown[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  act(createLogger('info', null, destination));
  return lines;
}

test('an error that Temporal logs says what went wrong, and why', () => {
  const cause = Object.assign(new Error('ERR user_script:18'), { code: 'EODD' });
  const error = ApplicationFailure.create({ message: 'Activity failed', type: 'internal', cause });
  const [line] = linesOf((logger) => logger.warn({ error, activityType: 'settleBudget' }, 'Activity failed'));
  expect(line).toMatchObject({
    activityType: 'settleBudget',
    error: {
      type: 'internal',
      message: 'Activity failed',
      stack: expect.stringContaining('Activity failed'),
      cause: { type: 'Error', message: 'ERR user_script:18', code: 'EODD' },
    },
  });
});

test('an error is logged without what it carries of a request', () => {
  const error = Object.assign(new Error('call failed'), { headers: { authorization: 'sk-secret' } });
  expect(JSON.stringify(linesOf((logger) => logger.error({ error }, 'x')))).not.toContain('sk-secret');
});

test('an error that causes itself is logged', () => {
  const error = new Error('round');
  error.cause = error;
  expect(linesOf((logger) => logger.error({ error }, 'x'))).toHaveLength(1);
  expect(linesOf((logger) => logger.error({ error: 'a word' }, 'x'))).toMatchObject([{ error: 'a word' }]);
});
