import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { createOpenApiDocument } from '../../api/openapi/create-document.ts';
import { COMMANDS } from '../../bin/commands/command-table.ts';
import { eventBodySchema } from '../../contracts/events.ts';
import { clientFrameSchema } from '../../contracts/websocket.ts';
import { ALL_PAGES } from '../../tools/docs/site-map.ts';
import { routesOfApp } from '../fuzz/app-routes.ts';
import { headingAnchors, headingLinks, namedCommands, namedScripts, relativeLinks } from './docs.ts';
import { projectFiles, ROOT, readJson, readProjectFile } from './project-files.ts';

const pages = projectFiles('.md').map((path) => ({ path, source: readProjectFile(path) }));

const routes = routesOfApp().map(({ method, path }) => ({ method: method.toLowerCase(), path }));

describe('the docs', () => {
  test('every relative link leads somewhere', () => {
    const dead = pages.flatMap(({ path, source }) =>
      relativeLinks(path, source)
        .filter((target) => target.startsWith('..') || !existsSync(join(ROOT, target)))
        .map((target) => `${path}: ${target}`),
    );
    expect(dead).toEqual([]);
  });

  test('every page of docs/ is listed in tools/docs/site-map.ts; the site is not built without it', () => {
    const listed = new Set(ALL_PAGES.map(({ source }) => source));
    const ofSite = pages.filter(({ path }) => /^docs\/[^/]+\.md$/.test(path));
    expect(ofSite.length).toBeGreaterThan(10);
    expect(ofSite.map(({ path }) => path).filter((path) => !listed.has(path))).toEqual([]);
  });

  test('every link to a heading finds it', () => {
    const anchors = new Map(pages.map(({ path, source }) => [path, headingAnchors(source)]));
    const dead = pages.flatMap(({ path, source }) =>
      headingLinks(path, source)
        .filter(({ page, heading }) => anchors.get(page)?.includes(heading) === false)
        .map(({ page, heading }) => `${path}: ${page}#${heading}`),
    );
    expect(dead).toEqual([]);
  });

  test('every npm script that a page names exists', () => {
    const schema = z.object({ scripts: z.record(z.string(), z.string()) });
    const manifests = ['package.json', 'examples/nextjs/package.json'].map((path) => readJson(path));
    const scripts = Object.assign({}, ...manifests.map((manifest) => schema.parse(manifest).scripts));
    const missing = pages.flatMap(({ path, source }) =>
      namedScripts(source)
        .filter((name) => !Object.hasOwn(scripts, name))
        .map((name) => `${path}: ${name}`),
    );
    expect(missing).toEqual([]);
    expect(namedScripts(readProjectFile('README.md'))).toEqual(expect.arrayContaining(['start', 'test']));
  });

  test('every command of the CLI that a page names exists', () => {
    const commands = new Set(COMMANDS.map(({ name }) => name));
    const missing = pages.flatMap(({ path, source }) =>
      namedCommands(source)
        .filter((name) => !commands.has(name))
        .map((name) => `${path}: ${name}`),
    );
    expect(missing).toEqual([]);
  });

  test('PROTOCOL.md names every event and every frame', () => {
    const text = readProjectFile('PROTOCOL.md');
    const types = [...eventBodySchema.options, ...clientFrameSchema.options].flatMap(({ shape }) => [
      ...shape.type.values,
    ]);
    expect(types.length).toBeGreaterThan(10);
    expect(types.filter((type) => !text.includes(`\`${type}\``))).toEqual([]);
  });

  test('PROTOCOL.md names every route', () => {
    const text = readProjectFile('PROTOCOL.md');
    expect(routes.length).toBeGreaterThan(20);
    // The pages of the documentation are files, not routes.
    const own = routes.filter(({ path }) => path !== '/docs/{*path}');
    expect(own.filter(({ path }) => !text.includes(`${path}\``))).toEqual([]);
  });
});

describe('/openapi.json', () => {
  test('names every route under /v1 with each of its methods', () => {
    const paths: Readonly<Record<string, object>> = createOpenApiDocument().paths;
    const missing = routes.filter(({ method, path }) => {
      const named = paths[path.replaceAll(/[:*](\w+)/g, '{$1}')];
      // A page for people, where Temporal's UI gets its cookie.
      if (path === '/v1/codec/session') return false;
      return path.startsWith('/v1/') && (named === undefined || !Object.hasOwn(named, method));
    });
    expect(missing).toEqual([]);
  });
});

describe('the checks can fail', () => {
  test('links are found in Markdown and HTML, not in code', () => {
    const source =
      '[a](b.md#c) ![d](./e.svg "f") <img src="g.svg"> `[h](i.md)` [j](https://k.example) [l](#m)';
    expect(relativeLinks('docs/page.md', source)).toEqual(['docs/b.md', 'docs/e.svg', 'docs/g.svg']);
    expect(relativeLinks('page.md', '```md\n[a](b.md)\n```\n')).toEqual([]);
  });

  test('links to headings are found, and headings have the anchors of GitHub', () => {
    expect(headingLinks('docs/page.md', '[a](b.md#c) [d](#e) [f](https://g.example#h)')).toEqual([
      { page: 'docs/b.md', heading: 'c' },
      { page: 'docs/page.md', heading: 'e' },
    ]);
    expect(headingAnchors("# A b: `c`\n\n```sh\n# no heading\n```\n\n## It's TLS/HTTP\n")).toEqual([
      'a-b-c',
      'its-tlshttp',
    ]);
  });

  test('scripts and commands are found', () => {
    expect(namedScripts('`npm run prove -- crash`, npm start')).toEqual(['prove', 'start']);
    expect(namedCommands('npx unbroken fly --far')).toEqual(['fly']);
  });
});
