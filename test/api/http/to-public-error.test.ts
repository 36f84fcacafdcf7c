import { expect, test } from '@jest/globals';
import { ErrorReply, SocketClosedUnexpectedlyError } from 'redis';
import { toPublicError } from '../../../api/http/to-public-error.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';

const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

test.each([
  ['a connection that broke', new SocketClosedUnexpectedlyError()],
  ['a socket that was reset', reset],
  ['a Redis that loads its file', new ErrorReply('LOADING Redis is loading the dataset in memory')],
])('%s is a 503 that asks for a retry', (_, error) => {
  expect(toPublicError(error)).toMatchObject({ code: 'service_unavailable', cause: error });
});

test('our own errors are public, and errors of our code are not', () => {
  const own = new UnbrokenError('not_found', 'There is none.');
  expect(toPublicError(own)).toBe(own);
  expect(toPublicError(new TypeError('secret is undefined'))).toMatchObject({
    code: 'internal',
    message: 'Something failed on our side.',
  });
  expect(toPublicError(new ErrorReply('WRONGTYPE')).code).toBe('internal');
});
