import { createServer, type RequestListener } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { configuredIndex, findPackageFile } from '../../../../tools/services/programs/python-index.js';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

describe('the index is the one that the machine is configured for', () => {
  const HOME = '/home-of-a-user';
  const pip = `${HOME}/.config/pip/pip.conf`;
  const uv = `${HOME}/.config/uv/uv.toml`;
  const cases: [string, Record<string, string>, Record<string, string>, string][] = [
    ['nothing is set', {}, {}, 'https://pypi.org/simple'],
    [
      'PIP_INDEX_URL',
      { PIP_INDEX_URL: 'https://a/simple' },
      { [pip]: '[global]\nindex-url=b' },
      'https://a/simple',
    ],
    ['UV_INDEX_URL', { UV_INDEX_URL: 'https://a' }, {}, 'https://a'],
    ['UV_DEFAULT_INDEX', { UV_DEFAULT_INDEX: 'https://a' }, {}, 'https://a'],
    ['pip.conf', {}, { [pip]: '[global]\ncert = c\nindex-url = https://a/x\n' }, 'https://a/x'],
    ['pip.conf with an underscore', {}, { '/etc/pip.conf': '[install]\nindex_url: https://a' }, 'https://a'],
    [
      'the user before the system',
      {},
      { [pip]: '[global]\nindex-url=u', '/etc/pip.conf': '[global]\nindex-url=s' },
      'u',
    ],
    [
      'a section of something else',
      {},
      { [pip]: '[list]\nindex-url = https://a' },
      'https://pypi.org/simple',
    ],
    [
      'PIP_CONFIG_FILE',
      { PIP_CONFIG_FILE: '/p' },
      { '/p': '[global]\nindex-url=n', [pip]: '[global]\nindex-url=u' },
      'n',
    ],
    [
      'no pip.conf wanted',
      { PIP_CONFIG_FILE: '/dev/null' },
      { [pip]: '[global]\nindex-url=u' },
      'https://pypi.org/simple',
    ],
    ['uv.toml', {}, { [uv]: 'index-url = "https://a"\n[pip]\nindex-url = "https://b"' }, 'https://a'],
    [
      'the default of uv.toml',
      {},
      { [uv]: '[[index]]\nurl = "https://a"\n\n[[index]]\nname = "b"\nurl = "https://b"\ndefault = true' },
      'https://b',
    ],
  ];
  test.each(cases)('%s', (_name, env, files, expected) => {
    expect(configuredIndex({ HOME, ...env }, (path) => files[path])).toBe(expected);
  });
});

describe('a file is found by its name', () => {
  const wanted = { project: 'a-b', file: 'a_b-1.0-py3-none-any.whl' };

  test('in JSON', async () => {
    const host = await serve((request, response) => {
      expect([request.url, request.headers.accept]).toEqual([
        '/simple/a-b/',
        expect.stringContaining('simple.v1+json'),
      ]);
      const files = [
        { url: 'https://files/0/a_b-0.9-py3-none-any.whl' },
        { url: `https://files/1/${wanted.file}` },
      ];
      response
        .setHeader('content-type', 'application/vnd.pypi.simple.v1+json')
        .end(JSON.stringify({ files }));
    });
    const url = await findPackageFile(`http://${host}/simple`, wanted);
    expect(url.href).toBe(`https://files/1/${wanted.file}`);
  });

  test('in HTML with relative links, and with the password of the index', async () => {
    let authorization: string | undefined;
    const host = await serve((request, response) => {
      authorization = request.headers.authorization;
      response.setHeader('content-type', 'text/html');
      response.end(`<a data-x="1" href="../../files/${wanted.file}#sha256=00&amp;x">${wanted.file}</a>`);
    });
    const url = await findPackageFile(`http://user:pass%40word@${host}/simple/`, wanted);
    expect(url.href).toBe(`http://user:pass%40word@${host}/files/${wanted.file}#sha256=00&x`);
    expect(authorization).toBe(`Basic ${Buffer.from('user:pass@word').toString('base64')}`);
  });

  test('a password never goes to another host', async () => {
    const host = await serve((_request, response) => {
      response.setHeader('content-type', 'text/html').end(`<a href="https://elsewhere/${wanted.file}">x</a>`);
    });
    const url = await findPackageFile(`http://user:secret@${host}/simple`, wanted);
    expect(url.href).toBe(`https://elsewhere/${wanted.file}`);
  });

  test('an index without it, or without the package, is an error that says so', async () => {
    const empty = await serve((_request, response) => {
      response.setHeader('content-type', 'text/html').end('<a href="other.whl">other.whl</a>');
    });
    await expect(findPackageFile(`http://${empty}`, wanted)).rejects.toThrow(
      `the index has no ${wanted.file}`,
    );
    const none = await serve((_request, response) => response.writeHead(404).end());
    await expect(findPackageFile(`http://${none}`, wanted)).rejects.toThrow('status 404');
  });
});
