/**
 * Top-level fields of the vendors' formats that are refused by name, because they would break a promise: one stored
 * answer per request, no cost that no budget sees, no state at a vendor that a fallback lacks.
 */
import type { RequestFormat } from './content.ts';

interface RefusedField {
  /** What the message of the error says. */
  readonly because: string;
  /** Values that change nothing, as JSON; they are passed on. */
  readonly unless?: readonly string[];
}

const NO_SEARCH =
  'Tools that run at the vendor are not supported: their results and costs reach no log and no budget.';
const PRICED = 'This tier has other prices than those that budgets are kept with; leave it out.';
const AT_VENDOR = 'State at one vendor is not supported: another provider could not continue from it.';
const OF_KEY = 'It belongs to a key of the vendor, and those are in the config of this server.';
const OTHER_OUTPUT = 'Answers are text and tool calls.';

const serviceTier = {
  because: PRICED,
  unless: ['"auto"', '"default"', '"flex"', '"standard_only"'],
} as const;

export const refusedFields: Readonly<Record<RequestFormat, Readonly<Record<string, RefusedField>>>> = {
  'openai-chat': {
    audio: { because: OTHER_OUTPUT },
    modalities: { because: OTHER_OUTPUT, unless: ['["text"]'] },
    web_search_options: { because: NO_SEARCH },
    moderation: { because: 'Its results have no place in a stored answer.' },
    service_tier: serviceTier,
  },
  'openai-responses': {
    prompt: { because: `${AT_VENDOR} POST /v1/generations takes prompts that are stored here.` },
    moderation: { because: 'Its results have no place in a stored answer.' },
    image: { because: OTHER_OUTPUT },
    access_programs: { because: AT_VENDOR },
    service_tier: serviceTier,
  },
  'anthropic-messages': {
    workspace_id: { because: OF_KEY },
    user_profile_id: { because: OF_KEY },
    mcp_servers: { because: NO_SEARCH },
    container: { because: AT_VENDOR },
    thread: { because: AT_VENDOR },
    compaction: { because: 'Compacted blocks have no place in a stored answer.' },
    fallbacks: { because: 'Fallbacks are those of the route.' },
    fallback_credit_token: { because: 'Fallbacks are those of the route.' },
    billing_policy: { because: PRICED },
    speed: { because: PRICED, unless: ['"standard"'] },
    inference_geo: { because: PRICED, unless: ['"global"'] },
    service_tier: serviceTier,
  },
};
