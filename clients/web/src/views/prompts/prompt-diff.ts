/** The differences between two versions of a prompt. */
import { LIMITS } from '../../../../../contracts/limits.ts';
import type { PromptContent } from '../../../../../contracts/prompts.ts';
import { type DiffLine, diffTexts } from '../diff/line-diff.ts';

export interface DiffSection {
  readonly title: string;
  readonly lines: readonly DiffLine[];
}

export function diffPrompts(left: PromptContent, right: PromptContent): DiffSection[] {
  const before = textsOf(left);
  const after = textsOf(right);
  const titles = [...new Set([...before.keys(), ...after.keys()])].sort((a, b) => rankOf(a) - rankOf(b));
  return titles.map((title) => ({
    title,
    lines: diffTexts(before.get(title) ?? '', after.get(title) ?? ''),
  }));
}

/** The order of a prompt: a section that only one version has stands in its place. */
function rankOf(title: string): number {
  const index = ['System', 'Message', 'Variables', 'Settings'].indexOf(title.replace(/ \d+$/, ''));
  return index * LIMITS.messagesPerPrompt + Number(/\d+$/.exec(title)?.[0] ?? 0);
}

/** All that a version consists of, as texts. */
function textsOf({ system, messages = [], variables, ...settings }: PromptContent): Map<string, string> {
  const texts = new Map<string, string>();
  if (system !== undefined) texts.set('System', system);
  messages.forEach(({ role, content }, index) => {
    texts.set(`Message ${index + 1}`, `${role}:\n${content}`);
  });
  const declared = Object.entries(variables).map(
    ([name, variable]) => `${name}: ${JSON.stringify(variable)}`,
  );
  if (declared.length > 0) texts.set('Variables', declared.join('\n'));
  const set = Object.entries(settings).filter(([, value]) => value !== undefined);
  const lines = set.map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  if (lines.length > 0) texts.set('Settings', lines.join('\n'));
  return texts;
}
