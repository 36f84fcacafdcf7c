/**
 * What Claude on Amazon Bedrock demands beyond Anthropic's own API: no address is loaded, and a beta or a field of one
 * that it does not have is an error. Sources: AWS, "Anthropic Claude Messages API" (`anthropic_beta`); Anthropic,
 * "Claude in Amazon Bedrock"; its errors ("invalid beta flag", "Extra inputs are not permitted").
 */
import type { GenerationInput } from '../../../contracts/generation.ts';
import { claudeVersion, plainName } from '../model-families.ts';
import type { FieldPlace } from '../native-fields.ts';
import { anthropicRules } from './anthropic-messages.ts';
import { withKnownFields } from './known-fields.ts';
import { remoteMediaViolations } from './media.ts';
import type { VendorRules } from './rule.ts';

const LONG_CACHED = 45;

const BETAS: ReadonlySet<string> = new Set([
  'compact-2026-01-12',
  'computer-use-2024-10-22',
  'computer-use-2025-01-24',
  'computer-use-2025-11-24',
  'context-1m-2025-08-07',
  'context-management-2025-06-27',
  'dev-full-thinking-2025-05-14',
  'effort-2025-11-24',
  'interleaved-thinking-2025-05-14',
  'output-128k-2025-02-19',
  'token-efficient-tools-2025-02-19',
  'tool-examples-2025-10-29',
  'tool-search-tool-2025-10-19',
]);

/** Fields that only a beta has; null: none that this vendor has. */
const OF_BETAS: Readonly<Record<string, RegExp | null>> = {
  'request.context_management': /^(context-management|compact)-/,
  'request.diagnostics': null,
  'request.service_tier': null,
  'tool.defer_loading': /^tool-search-tool-/,
  'tool.input_examples': /^tool-examples-/,
  'tool.eager_input_streaming': null,
};

export const bedrockRules: VendorRules = {
  ...anthropicRules,
  *violations(call) {
    yield* anthropicRules.violations?.(call) ?? [];
    yield* remoteMediaViolations(call.input.messages, ['image', 'file']);
  },
  fit(call) {
    const own = anthropicRules.fit?.(call) ?? { input: call.input, dropped: [] };
    const { native } = own.input;
    const betas = (native?.betas ?? []).filter((beta) => BETAS.has(beta));
    const isTaken = (place: FieldPlace, name: string) => {
      if (name === 'cache_control.scope') return false;
      const beta = OF_BETAS[`${place}.${name}`];
      return beta === undefined || (beta !== null && betas.some((own) => beta.test(own)));
    };
    const isOld = isShortCached(call.model);
    const { input: fitted, dropped } = withKnownFields(own.input, (place, name) =>
      name === 'cache_control.ttl' ? !isOld : isTaken(place, name),
    );
    const input =
      isOld && fitted.promptCaching === '1h' ? { ...fitted, promptCaching: '5m' as const } : fitted;
    const isSame = betas.length === (native?.betas ?? []).length;
    const known = isSame ? input : withBetas(input, betas);
    return { input: known, dropped: [...own.dropped, ...dropped, ...(isSame ? [] : ['anthropic-beta'])] };
  },
};

/** Models before 4.5 keep a prompt for five minutes, and refuse another time. Source: AWS, "Prompt caching". */
function isShortCached(model: string): boolean {
  return (claudeVersion(plainName(model)) ?? LONG_CACHED) < LONG_CACHED;
}

function withBetas(input: GenerationInput, betas: readonly string[]): GenerationInput {
  const { native, ...rest } = input;
  if (native === undefined) return input;
  const { betas: _, ...own } = native;
  if (betas.length > 0) return { ...rest, native: { ...own, betas: [...betas] } };
  return Object.keys(own.fields).length === 0 ? rest : { ...rest, native: own };
}
