/** Puts all that VitePress builds from into one folder: the pages at their paths on the site, and the settings. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createOpenApiDocument } from '../../api/openapi/create-document.ts';
import { drawDiagrams } from './draw-diagrams.ts';
import { configuration, errorIndex, httpApi } from './generated-pages.ts';
import { PICTURES } from './repository-links.ts';
import { ALL_PAGES, GENERATED, ROOT } from './site-map.ts';

const DIAGRAMS = 'diagrams';
const WRITERS: Readonly<Record<string, () => string>> = {
  [GENERATED.errors]: errorIndex,
  [GENERATED.http]: httpApi,
  [GENERATED.config]: configuration,
};

export function stagePages(folder: string): void {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const { path, source } of ALL_PAGES) {
    const text = source === undefined ? WRITERS[path]?.() : readFileSync(join(ROOT, source), 'utf8');
    const { markdown, pictures } = drawDiagrams(path, text ?? '', DIAGRAMS);
    write(`${path}.md`, markdown);
    for (const [name, svg] of pictures) write(`${DIAGRAMS}/${name}`, svg);
  }
  cpSync(join(ROOT, PICTURES), join(folder, 'pictures'), { recursive: true });
  write('public/openapi.json', JSON.stringify(createOpenApiDocument()));
  for (const schema of ['unbroken.config.schema.json', 'unbroken.pipeline.schema.json']) {
    write(`public/${schema}`, readFileSync(join(ROOT, schema), 'utf8'));
  }
  write('public/mark.svg', readFileSync(join(ROOT, 'clients/web/src/mark.svg'), 'utf8'));
  const own = (name: string) => JSON.stringify(join(import.meta.dirname, name));
  write(
    '.vitepress/config.ts',
    `import { siteConfig } from ${own('site-config.ts')};\nexport default siteConfig();\n`,
  );
  write(
    '.vitepress/theme/index.ts',
    `import theme from 'vitepress/theme-without-fonts';\nimport ${own('style.css')};\nexport default theme;\n`,
  );
}
