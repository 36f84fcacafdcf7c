import { expect, test } from '@jest/globals';

test('a browser that blocks cookies, and throws at each use of its storage, keeps everything in memory', async () => {
  const get = () => {
    throw new DOMException('Access is denied for this document.', 'SecurityError');
  };
  for (const name of ['localStorage', 'sessionStorage']) {
    Object.defineProperty(globalThis, name, { get, configurable: true });
  }
  const { lasting, ofThisTab } = await import('../../../clients/web/src/storage.ts');
  lasting.setItem('theme', 'dark');
  expect(lasting.getItem('theme')).toBe('dark');
  expect(lasting.getItem('key')).toBeNull();
  expect(Object.keys(lasting)).toEqual(['theme']);
  lasting.removeItem('theme');
  expect(lasting.getItem('theme')).toBeNull();
  expect(ofThisTab.length).toBe(0);
});
