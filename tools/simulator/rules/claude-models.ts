/** What the documentation says of Claude's models, by their names. Source: Anthropic, "Models overview". */

/** 45 for Claude 4.5; null for any other name. */
function claudeGeneration(model: string): number | null {
  const [, major, minor = '0'] =
    /claude-(?:opus|sonnet|haiku|fable|mythos)-(\d)(?:-(\d)(?!\d))?/.exec(model) ??
    /claude-(\d)(?:-(\d)(?!\d))?-(?:opus|sonnet|haiku)/.exec(model) ??
    [];
  return major === undefined ? null : Number(major) * 10 + Number(minor);
}

/** The most output tokens; null where it is not known here. */
export function mostOutputTokens(model: string): number | null {
  const generation = claudeGeneration(model);
  if (generation === null || generation > 45) return null;
  if (generation < 35) return 4_096;
  if (generation < 37) return 8_192;
  return /opus-4(?:-[01])?(?:-|$)/.test(model) && generation < 45 ? 32_000 : 64_000;
}

/** Sampling parameters and thinking by budget ended with 4.7. Source: "Migration guide". */
export function hasFixedSampling(model: string): boolean {
  return (claudeGeneration(model) ?? 0) >= 47;
}

/**
 * System messages among the others: from Opus 4.8 on, but for Sonnet 5. null for any other name.
 * Source: "Mid-conversation system messages".
 */
export function takesLateSystem(model: string): boolean | null {
  const generation = claudeGeneration(model);
  return generation === null ? null : generation >= 48 && !(generation === 50 && model.includes('sonnet'));
}

/** From 4.1 on, `temperature` and `top_p` exclude each other. Source: "Migration guide". */
export function hasOneSamplingParameter(model: string): boolean {
  const generation = claudeGeneration(model) ?? 0;
  return generation >= 41 && generation < 47;
}

/** Prefill ended with 4.6. Source: "Errors", prefill not supported. */
export function refusesPrefill(model: string): boolean {
  return (claudeGeneration(model) ?? 0) >= 46 || /no-prefill/.test(model);
}
