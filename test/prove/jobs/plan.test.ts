/** The plan is what makes a seed worth keeping. */
import { expect, test } from '@jest/globals';
import { markIn, planJobs, planLines, SCHEDULES, STEP_PROMPTS, tickPrompt } from './plan.ts';

test('the same seed plans the same lines, another one others, and each batch has its own', () => {
  expect(planLines(7, 'o', 50)).toEqual(planLines(7, 'o', 50));
  expect(planLines(7, 'o', 50)).not.toEqual(planLines(8, 'o', 50));
  const ids = (['o', 'c', 'a', 'w', 'm'] as const)
    .flatMap((batch) => planLines(7, batch, 50))
    .map((line) => line.customId);
  expect(new Set(ids).size).toBe(250);
});

test('a large batch has lines that are refused, and answers that take a while', () => {
  const lines = planLines(7, 'o', 1_000);
  const counts = [
    lines.filter(({ isRefused }) => isRefused),
    lines.filter(({ prompt }) => prompt.includes('=60')),
  ];
  for (const { length } of counts) expect(length).toBeGreaterThan(5);
  expect(planJobs(9).filter(({ isApproved }) => isApproved)).toHaveLength(3);
});

test('the prompt of every line, step and schedule begins with a mark that no other has', () => {
  const prompts = [
    ...planLines(7, 'o', 20).map(({ prompt }) => prompt),
    ...planJobs(3).flatMap(({ name, topic }) => [
      STEP_PROMPTS.outline(name, topic),
      STEP_PROMPTS.section(name, '0', 'step-j9.edit;'),
      STEP_PROMPTS.section(name, '1', ''),
      STEP_PROMPTS.edit(name, STEP_PROMPTS.section(name, '0', '')),
      STEP_PROMPTS.title(name),
    ]),
    ...SCHEDULES.map(tickPrompt),
  ];
  const marks = prompts.map(markIn);
  expect(marks).not.toContain(null);
  expect(new Set(marks).size).toBe(prompts.length);
});
