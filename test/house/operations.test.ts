import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { projectFiles, readProjectFile } from './project-files.ts';

const page = readProjectFile('docs/operations.md');
const ruleSchema = z.object({
  alert: z.string(),
  for: z.string(),
  labels: z.object({ severity: z.enum(['warning', 'critical']) }),
  annotations: z.object({ summary: z.string(), runbook: z.string() }),
});
const { groups } = z
  .object({ groups: z.array(z.object({ rules: z.array(ruleSchema) })) })
  .parse(parse(readProjectFile('tools/deploy/observability/alerts.yml')));
const rules = groups.flatMap(({ rules: all }) => all);

/** The paragraphs under `### <name>`, by name. */
const paragraphs = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n')).trim()]),
);

describe('docs/operations.md', () => {
  test('every alert has its paragraph, and no paragraph is of an alert that is gone', () => {
    expect(rules.length).toBeGreaterThan(10);
    expect([...paragraphs.keys()].sort()).toEqual(rules.map(({ alert }) => alert).sort());
    for (const [name, text] of paragraphs) expect([name, text.length > 60]).toEqual([name, true]);
  });

  test('every alert leads to its paragraph', () => {
    for (const { alert, annotations } of rules) {
      expect(annotations.runbook).toBe(`docs/operations.md#${alert.toLowerCase()}`);
    }
  });

  test('every setting and metric that it names exists', () => {
    const code = projectFiles('.ts')
      .filter((path) => /^(?:platform\/config|engine\/telemetry|worker)\//.test(path))
      .map(readProjectFile)
      .join('\n');
    const settings = [...page.matchAll(/\bUNBROKEN_[A-Z_]+\b|\bunbroken_\w+\b/g)].map(([name]) => name);
    expect(settings.length).toBeGreaterThan(3);
    expect(settings.filter((name) => !code.includes(name))).toEqual([]);
  });
});
