/**
 * The Python package index that this machine is configured for, and the files that it offers. An organisation often
 * allows only its own index, and names it in the settings of pip or uv.
 * Sources: pip's "Configuration" page, uv's "Package indexes" page, and PEP 503 (HTML) and PEP 691 (JSON) for the answer.
 */
import { readFileSync } from 'node:fs';
import { devNull, homedir } from 'node:os';
import { join } from 'node:path';
import { downloadText } from './download.js';

/** @typedef {import('./service-error.js').Environment} Environment */

const PUBLIC_INDEX = 'https://pypi.org/simple';
const JSON_TYPE = 'application/vnd.pypi.simple.v1+json';
const INDEX_LIMITS = { answerMs: 10_000, wholeMs: 20_000, maxBytes: 16 * 1024 * 1024 };

/**
 * Environment before files, a user's file before the system's; of pip and uv, whichever names an index.
 * @param {Environment} env
 * @param {(path: string) => string | undefined} read undefined where there is no such file.
 */
export function configuredIndex(env = process.env, read = readIfPresent) {
  const named = env['PIP_INDEX_URL'] || env['UV_DEFAULT_INDEX'] || env['UV_INDEX_URL'];
  if (named) return named;
  for (const path of pipFiles(env)) {
    const index = pipIndex(read(path) ?? '');
    if (index !== undefined) return index;
  }
  for (const path of uvFiles(env)) {
    const index = uvIndex(read(path) ?? '');
    if (index !== undefined) return index;
  }
  return PUBLIC_INDEX;
}

/**
 * The URL of a file of a package.
 * @param {string} index
 * @param {{ project: string, file: string }} wanted
 */
export async function findPackageFile(index, { project, file }) {
  const page = new URL(`${index.replace(/\/+$/, '')}/${project}/`);
  const accept = `${JSON_TYPE}, text/html;q=0.5`;
  const answer = await downloadText(page, INDEX_LIMITS, { accept });
  const links = answer.type.startsWith(JSON_TYPE) ? jsonLinks(answer.text) : htmlLinks(answer.text);
  for (const link of links) {
    const url = new URL(link, answer.url);
    if (decodeURIComponent(url.pathname).endsWith(`/${file}`)) return withCredentials(url, page);
  }
  throw new Error(`the index has no ${file}`);
}

/**
 * Files on the index's own host need the same password as its pages.
 * @param {URL} url
 * @param {URL} page
 */
function withCredentials(url, page) {
  if (url.host !== page.host) return url;
  const complete = new URL(url);
  complete.username = page.username;
  complete.password = page.password;
  return complete;
}

/**
 * @param {string} text
 * @returns {string[]}
 */
function jsonLinks(text) {
  const { files } = JSON.parse(text);
  return files.map((/** @type {{ url: string }} */ { url }) => url);
}

/** @param {string} text */
function htmlLinks(text) {
  return [...text.matchAll(/<a\s[^>]*?href\s*=\s*["']([^"']+)["']/gi)].map(([, link = '']) =>
    link.replaceAll('&amp;', '&'),
  );
}

/**
 * pip reads all of them, and a later file wins; so the search begins with the last.
 * @param {Environment} env
 */
function pipFiles(env) {
  const home = env['HOME'] || homedir();
  const configHome = env['XDG_CONFIG_HOME'] || join(home, '.config');
  const named = env['PIP_CONFIG_FILE'];
  // pip's word for: read no file at all.
  if (named === devNull) return [];
  const virtual = env['VIRTUAL_ENV'];
  return [
    ...(named ? [named] : []),
    ...(virtual ? [join(virtual, 'pip.conf')] : []),
    join(configHome, 'pip', 'pip.conf'),
    join(home, 'Library', 'Application Support', 'pip', 'pip.conf'),
    join(home, '.pip', 'pip.conf'),
    '/etc/pip.conf',
    '/etc/xdg/pip/pip.conf',
    '/Library/Application Support/pip/pip.conf',
  ];
}

/** @param {Environment} env */
function uvFiles(env) {
  const home = env['HOME'] || homedir();
  const configHome = env['XDG_CONFIG_HOME'] || join(home, '.config');
  const named = env['UV_CONFIG_FILE'];
  return [...(named ? [named] : []), join(configHome, 'uv', 'uv.toml'), '/etc/uv/uv.toml'];
}

/**
 * `index-url` of the section [global], [download] or [install]; pip takes `_` for `-`.
 * @param {string} text
 */
function pipIndex(text) {
  let section = '';
  for (const line of text.split('\n')) {
    section = /^\[(\w+)\]/.exec(line)?.[1] ?? section;
    const value = /^\s*index[-_]url\s*[=:]\s*(\S+)/.exec(line)?.[1];
    if (value !== undefined && ['global', 'download', 'install'].includes(section)) return value;
  }
  return undefined;
}

/**
 * A table [[index]] with `default = true`, else the old `index-url`.
 * @param {string} text
 */
function uvIndex(text) {
  const [top = '', ...tables] = text.split(/^\s*(?=\[)/m);
  for (const table of tables) {
    if (!/^\[\[index\]\]/.test(table) || !/^\s*default\s*=\s*true/m.test(table)) continue;
    const url = /^\s*url\s*=\s*["']([^"']+)["']/m.exec(table)?.[1];
    if (url !== undefined) return url;
  }
  return /^\s*index-url\s*=\s*["']([^"']+)["']/m.exec(top)?.[1];
}

/** @param {string} path */
function readIfPresent(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
