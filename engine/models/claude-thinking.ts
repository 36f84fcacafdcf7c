/**
 * What Claude's models take as thinking, by their names. Sources: Anthropic, "Thinking", "Effort", and the migration
 * guides of Opus 4.7, Fable 5, Fable 5.1, Opus 5.5, Sonnet 5.5 and Haiku 5.5. A name without a version says nothing.
 */
import { claudeVersion, plainName } from './model-families.ts';

const IS_MYTHOS = /fable|mythos/;

function versionOf(model: string): number {
  return claudeVersion(plainName(model)) ?? 0;
}

/** From 4.6 on; a model whose name has no version counts as a new one. */
export function choosesThinkingBudget(model: string): boolean {
  return (claudeVersion(plainName(model)) ?? 99) >= 46;
}

/** Whether it refuses a budget of the client. */
export function refusesThinkingBudget(model: string): boolean {
  return versionOf(model) >= 47 || IS_MYTHOS.test(model);
}

/** Whether it thinks where a request says nothing of it. */
export function thinksByDefault(model: string): boolean {
  return versionOf(model) >= 50 || IS_MYTHOS.test(model);
}

/** Whether it refuses to have its thinking turned off. */
export function alwaysThinks(model: string): boolean {
  return IS_MYTHOS.test(model) || (versionOf(model) >= 55 && !model.includes('haiku'));
}

/** Whether it can be asked to think between calls of tools only, its least thinking. */
export function thinksBetweenTools(model: string): boolean {
  return versionOf(model) >= 55 && model.includes('sonnet');
}

/** Whether it refuses a choice that forces a tool. */
export function refusesForcedTool(model: string): boolean {
  return versionOf(model) >= 51 && !model.includes('haiku');
}
