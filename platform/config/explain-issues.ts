/** Explains what a schema rejects, one line for each key: the key and the fix. */
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

export function explainIssues(issues: readonly Issue[]): string[] {
  return issues.map((issue) => explain(issue, issue.path));
}

function explain(issue: Issue, path: readonly PropertyKey[]): string {
  if (issue.code === 'invalid_union') {
    // Of several possible shapes, the one that fits best is the intended one.
    const deepest = issue.errors.flat().sort((a, b) => b.path.length - a.path.length)[0];
    if (deepest !== undefined && deepest.path.length > 0) return explain(deepest, [...path, ...deepest.path]);
  }
  return `${path.map(String).join('.') || '(top)'}: ${issue.message}${fixOf(issue)}`;
}

function fixOf(issue: Issue): string {
  if (issue.code === 'unrecognized_keys') return '; remove it, or correct its spelling';
  // All settings of a section that is left are comments.
  return issue.code === 'invalid_type' && issue.message.endsWith('received null')
    ? '; it is empty: remove it, or give it a value'
    : '';
}
