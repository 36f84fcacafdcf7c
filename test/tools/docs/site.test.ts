import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { faultsOfPages, inlineParts } from '../../../tools/docs/check-pages.ts';
import { drawDiagrams } from '../../../tools/docs/draw-diagrams.ts';
import { siteLink } from '../../../tools/docs/site-links.ts';
import { ALL_PAGES } from '../../../tools/docs/site-map.ts';
import { projectFiles, readProjectFile } from '../../house/project-files.ts';

describe('the map of the site', () => {
  test('names each page once', () => {
    const paths = ALL_PAGES.map(({ path }) => path);
    expect(paths).toEqual([...new Set(paths)]);
    const sources = ALL_PAGES.flatMap(({ source }) => source ?? []);
    expect(sources).toEqual([...new Set(sources)]);
    const docs = projectFiles('.md').filter((path) => path.startsWith('docs/'));
    expect(sources).toEqual(expect.arrayContaining(['README.md', 'ARCHITECTURE.md', 'PROTOCOL.md', ...docs]));
  });
});

describe('a link of the repository', () => {
  test('leads to the page of its file, wherever that is on the site', () => {
    expect(siteLink('docs/budgets.md', '../ARCHITECTURE.md#words')).toBe('/architecture#words');
    expect(siteLink('README.md', 'docs/errors')).toBe('/errors/');
    expect(siteLink('docs/errors/not_found.md', '../decisions/README.md')).toBe('/decisions/');
    expect(siteLink('clients/python/README.md', '../../README.md')).toBe('/');
    expect(siteLink('README.md', 'unbroken.config.example.yaml')).toBe('/configuration');
  });

  test('leads nowhere if its file is no page', () => {
    expect(siteLink('docs/installation.md', '../tools/services/programs/temporal-cli.js')).toBeUndefined();
  });
});

describe('a diagram', () => {
  test('becomes two pictures that load nothing, and stays as text', () => {
    const { markdown, pictures } = drawDiagrams('a/b', readProjectFile('ARCHITECTURE.md'), 'diagrams');
    expect([...pictures.keys()]).toEqual(['a-b-0-light.svg', 'a-b-0-dark.svg']);
    expect(markdown).not.toContain('```mermaid');
    for (const [name, svg] of pictures) {
      expect(markdown).toContain(`/diagrams/${name}`);
      expect(svg).toContain('generation-start (seq 0)');
      expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|@import/);
    }
  });
});

describe('the check of built pages can fail', () => {
  const faultsOf = (pages: Readonly<Record<string, string>>) => {
    const folder = mkdtempSync(join(tmpdir(), 'unbroken-docs-'));
    try {
      for (const [path, html] of Object.entries(pages)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), html);
      }
      return faultsOfPages(folder, '/docs/');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };

  test('on links into nothing', () => {
    const pages = {
      'index.html': '<a href="/docs/a">A</a><a href="https://example.com/x">x</a><a href="errors/">E</a>',
      'a.html': '<h1 id="b">B</h1><a href="#b">b</a><a href="/docs/">home</a><img src="/docs/p.svg">',
      'errors/index.html': '<a href="../a#b">b</a>',
      'p.svg': '<svg/>',
    };
    expect(faultsOf(pages)).toEqual([]);
    expect(faultsOf({ ...pages, 'c.html': '<a href="/docs/d">d</a>' })).toEqual([
      'c.html: dead link to /docs/d',
    ]);
    expect(faultsOf({ ...pages, 'c.html': '<a href="./a#d">d</a>' })).toEqual([
      'c.html: no heading for ./a#d',
    ]);
    expect(faultsOf({ ...pages, 'c.html': '<a href="/else">d</a>' })).toEqual(['c.html: dead link to /else']);
  });

  test('on anything inline', () => {
    expect(
      inlineParts('<script src="/a.js"></script><link rel="stylesheet" href="/a.css"><p>style="x"</p>'),
    ).toEqual([]);
    expect(inlineParts('<script>a()</script>')).toHaveLength(1);
    expect(inlineParts('<style>a{}</style>')).toHaveLength(1);
    expect(inlineParts('<p class="a" style="b">')).toHaveLength(1);
    expect(inlineParts('<p onclick="b()">')).toHaveLength(1);
  });
});
