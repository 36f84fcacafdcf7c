import { expect, test } from '@jest/globals';
import { loadConfig } from '../../../platform/config/load-config.ts';

const urlOf = (url: string) => loadConfig({ QDRANT_URL: url }).qdrant.url;

test('QDRANT_URL keeps the port that it names, the usual one of its protocol too, and has 6333 without one', () => {
  expect(loadConfig({}).qdrant.url).toBe('http://127.0.0.1:6333');
  expect(urlOf('https://q.example.com:443')).toBe('https://q.example.com:443');
  expect(urlOf('http://q.example.com:80/')).toBe('http://q.example.com:80');
  expect(urlOf('https://q.example.com')).toBe('https://q.example.com:6333');
  expect(urlOf('http://[::1]/')).toBe('http://[::1]:6333');
  expect(urlOf('http://[::1]:7000/vectors//\n')).toBe('http://[::1]:7000/vectors');
});

test('a QDRANT_URL without its protocol is reported with the fix', () => {
  expect(() => urlOf('qdrant:6333')).toThrow('QDRANT_URL: expected http://host:port');
  expect(() => urlOf('localhost')).toThrow('QDRANT_URL: expected http://host:port');
});
