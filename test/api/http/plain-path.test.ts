import { expect, test } from '@jest/globals';
import type { Request, Response } from 'express';
import { withPlainPath } from '../../../api/http/plain-path.ts';

test.each([
  ['/v1/v1/messages?beta=true', '/v1/messages?beta=true'],
  ['/v1/messages', '/v1/messages'],
  ['/v1/v1', '/v1/v1'],
  ['/other/v1/v1/messages', '/other/v1/v1/messages'],
  ['/v1//chat/completions', '/v1/chat/completions'],
  ['//v1/v1//messages', '/v1/messages'],
  ['/v1/models?q=https://a//b', '/v1/models?q=https://a//b'],
])('%s is %s', (address, expected) => {
  const request = { url: address, originalUrl: address };
  let passed = 0;
  withPlainPath()(request as Request, {} as Response, () => {
    passed += 1;
  });
  expect([request.url, request.originalUrl, passed]).toEqual([expected, expected, 1]);
});
