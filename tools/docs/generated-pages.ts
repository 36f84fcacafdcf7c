/** Pages of the site that are written from the code: the error table, the HTTP API and the example config. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createOpenApiDocument } from '../../api/openapi/create-document.ts';
import { ERRORS } from '../../contracts/errors.ts';
import { ROOT } from './site-map.ts';

const METHODS = ['get', 'post', 'put', 'delete'] as const;

interface Operation {
  readonly summary?: string;
  readonly externalDocs?: { readonly url: string };
}

export function errorIndex(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { status, fix }]) => `| [${code}](/errors/${code}) | ${status} | ${cell(fix)} |`,
  );
  return [
    '# Error codes',
    '',
    'Every error has a code, a sentence that says what happened, and the address of its page. A code is never renamed.',
    '',
    '| code | status | what to do |',
    '| ---- | ------ | ---------- |',
    ...rows,
    '',
  ].join('\n');
}

export function httpApi(): string {
  const paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = createOpenApiDocument().paths;
  const rows = Object.entries(paths).flatMap(([path, operations]) =>
    METHODS.flatMap((method) => {
      const { summary = '', externalDocs } = operations[method] ?? {};
      if (operations[method] === undefined) return [];
      const vendor = externalDocs === undefined ? '' : ` ([their reference](${externalDocs.url}))`;
      return [{ path, line: `| \`${method.toUpperCase()} ${path}\` | ${cell(summary)}${vendor} |` }];
    }),
  );
  const groups = Map.groupBy(rows, ({ path }) => path.split('/')[2] ?? '');
  return [
    '# HTTP API',
    '',
    'Every route takes `Authorization: Bearer <key>`. The [protocol](/protocol) explains events, cursors and errors.',
    'The schemas of requests and responses are in <a href="./openapi.json" target="_self">openapi.json</a> (OpenAPI 3.1),',
    'which the API also serves at `/openapi.json`; editors, Postman and code generators read it.',
    '',
    ...[...groups].flatMap(([group, members]) => [
      `## /v1/${group}`,
      '',
      '| route | what it does |',
      '| ----- | ------------ |',
      ...members.map(({ line }) => line),
      '',
    ]),
  ].join('\n');
}

export function configuration(): string {
  return [
    '# Configuration',
    '',
    'Everything has a default; without a file, the providers whose keys are set answer. `npx unbroken init` writes one',
    'for the keys that it finds, and `npx unbroken doctor` checks it. Editors complete and validate it with',
    '<a href="./unbroken.config.schema.json" target="_self">unbroken.config.schema.json</a>.',
    '',
    'This is `unbroken.config.example.yaml`:',
    '',
    '```yaml',
    readFileSync(join(ROOT, 'unbroken.config.example.yaml'), 'utf8').trimEnd(),
    '```',
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
