/** https://github.com/CloudWaddie/LMArenaBridge/issues/159 */
import { expect, test } from '@jest/globals';
import type { Request, Response } from 'express';
import { withoutRepeatedVersion } from '../../../api/http/repeated-version.ts';

test.each([
  ['/v1/v1/messages?beta=true', '/v1/messages?beta=true'],
  ['/v1/messages', '/v1/messages'],
  ['/v1/v1', '/v1/v1'],
  ['/other/v1/v1/messages', '/other/v1/v1/messages'],
])('%s is %s', (address, expected) => {
  const request = { url: address, originalUrl: address };
  let passed = 0;
  withoutRepeatedVersion()(request as Request, {} as Response, () => {
    passed += 1;
  });
  expect([request.url, request.originalUrl, passed]).toEqual([expected, expected, 1]);
});
