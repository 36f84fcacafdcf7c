/** Loads a version of a prompt. A version never changes, so the last ones that were read are kept. */
import type { PromptVersionView } from '../../../../../contracts/prompts.ts';
import { getJson } from '../../session.ts';

const MOST_KEPT = 50;
const kept = new Map<string, Promise<PromptVersionView>>();

export function loadVersion(name: string, version: number): Promise<PromptVersionView> {
  const path = `/v1/prompts/${encodeURIComponent(name)}/versions/${version}`;
  const known = kept.get(path);
  if (known !== undefined) return known;
  const loading = getJson<PromptVersionView>(path);
  kept.set(path, loading);
  loading.catch(() => kept.delete(path));
  const [oldest] = kept.keys();
  if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
  return loading;
}
