/** The judge of the answer cache: a small model of one of the configured providers. */
import type { Dependencies } from '../activities/dependencies.ts';
import { parseCandidate } from '../contracts/candidate.ts';
import type { GenerationInput } from '../contracts/generation.ts';
import { NO_USAGE, type Usage } from '../contracts/money.ts';
import { createJudge, type Judge, type JudgeModel } from '../engine/cache/judge.ts';
import type { Provider, ProviderCall } from '../engine/providers/provider.ts';
import type { Config } from '../platform/config/load-config.ts';

/** @returns null if no judge is configured. */
export function createConfiguredJudge(
  { cache: { judge } }: Config,
  providers: ReadonlyMap<string, Provider>,
  { priceOf, countTexts }: Pick<Dependencies, 'priceOf' | 'countTexts'>,
): Judge | null {
  if (judge === undefined) return null;
  const candidate = parseCandidate(judge.model);
  if (candidate === null) throw new Error(`cache.judge.model is "${judge.model}", not provider/model.`);
  const { provider: name, model } = candidate;
  const provider = providers.get(name);
  if (provider === undefined)
    throw new Error(`cache.judge.model names the provider "${name}", which has no key.`);
  const by: JudgeModel = {
    async ask({ system, prompt, maxOutputTokens, signal, onText }) {
      const input: GenerationInput = {
        system,
        maxOutputTokens,
        temperature: 0,
        messages: [{ role: 'user', content: prompt }],
      };
      const call: ProviderCall = {
        model,
        input,
        maxOutputTokens,
        signal,
        idempotencyKey: `judge:${crypto.randomUUID()}`,
        resume: { strategy: 'start' },
      };
      let usage: Usage | null = null;
      for await (const event of provider.stream(call)) {
        if (event.type === 'text') onText(event.text);
        if (event.type === 'finish') usage = event.usage;
      }
      return usage;
    },
    async estimate(question, answer) {
      const [inputTokens = 0, outputTokens = 0] = await countTexts([question, answer]);
      return { ...NO_USAGE, inputTokens, outputTokens, estimated: true };
    },
    priceOf: (usage) => priceOf(name, model, usage),
  };
  return createJudge({ provider: name, model, timeoutMs: judge.timeoutMs, by });
}
