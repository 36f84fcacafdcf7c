import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { classifyTask, matchCues, taskClasses } from '../../../engine/routing/classify-task.ts';
import { cpuMsOf, growthOf } from '../../harness/growth.ts';

interface Labelled {
  readonly task: string;
  readonly input: string;
}

const labelled: Labelled[] = JSON.parse(
  readFileSync(join(import.meta.dirname, 'labelled-tasks.json'), 'utf8'),
);

/** A hash decides which half an input is in, so nobody chose what the cues were fitted to. */
const isHeldOut = ({ input }: Labelled) => createHash('sha256').update(input).digest().readUInt8(0) % 2 === 1;

function accuracyOf(rows: readonly Labelled[]): number {
  const right = rows.filter(({ task, input }) => taskOf(input) === task).length;
  return right / rows.length;
}

function taskOf(input: string): string {
  return classifyTask([{ role: 'user', content: input }]).task;
}

test('the classifier is right for at least 85 % of inputs that its cues were not fitted to', () => {
  const heldOut = labelled.filter(isHeldOut);
  expect(heldOut.length).toBeGreaterThan(80);
  for (const task of taskClasses) expect(heldOut.some((row) => row.task === task)).toBe(true);
  console.info(
    `classifier: ${(100 * accuracyOf(heldOut)).toFixed(1)} % of ${heldOut.length} held out, ` +
      `${(100 * accuracyOf(labelled.filter((row) => !isHeldOut(row)))).toFixed(1)} % of the rest`,
  );
  expect(accuracyOf(heldOut)).toBeGreaterThanOrEqual(0.85);
});

test('it says which cues it went by', () => {
  const found = classifyTask([{ role: 'user', content: 'Write a Python function that adds two numbers.' }]);
  expect(found).toMatchObject({ task: 'code', source: 'classifier' });
  expect(found.because).toContain('programm');
});

test('the last message of the user counts, not what was said before', () => {
  const found = classifyTask([
    { role: 'user', content: 'Prove that the square root of 2 is irrational.' },
    { role: 'assistant', content: 'Assume that it is rational ...' },
    { role: 'user', content: 'Thanks! What is the capital of France?' },
  ]);
  expect(found.task).toBe('simple');
});

test('an input of eight million characters is classified without delay', () => {
  const messages = [{ role: 'user', content: 'if (a '.repeat(1_400_000) }] as const;
  expect(cpuMsOf(() => classifyTask(messages))).toBeLessThan(1_000);
});

describe('the time that it takes is linear in the length of the text', () => {
  const fragments = [
    '\n',
    ' ',
    '\t',
    '\r\n',
    ' \n',
    '{ \n',
    '{',
    ';  ',
    '; \n',
    '`',
    '(',
    '()',
    '</',
    '</a',
    'a.',
    'a.b',
    '=',
    '1 ',
    '1',
    'x ',
    'select from ',
    'select ',
    'from ',
    'def ',
    'if ',
    'write ',
    'fix the ',
    'step by ',
    'how ',
    'how many ',
    'eigen',
    '?',
    '? a',
    'given that ',
    'in one ',
    'design ',
    '111 words ',
    'at least ',
    'a',
    'A',
    '東',
    '"',
    'import ',
    '  import',
    'first principles ',
  ];
  test.each(fragments)('of %j', (fragment) => {
    const growth = growthOf((chars) => {
      const text = fragment.repeat(Math.ceil(chars / fragment.length));
      return () => matchCues(text);
    }, 2_000);
    expect(growth).toBeLessThan(2.5);
  });
});
