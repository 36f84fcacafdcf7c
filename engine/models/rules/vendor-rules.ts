/** Which vendor's rules a provider's requests are held to, and what becomes of a request under them. */
import type { WireFamily } from '../../../platform/config/schema.ts';
import { anthropicRules } from './anthropic-messages.ts';
import { bedrockRules } from './bedrock.ts';
import { cohereRules } from './cohere.ts';
import { fitEffort } from './effort.ts';
import { googleRules } from './google.ts';
import { withTrueImageTypes } from './media.ts';
import { compatibleChatRules, openAiChatRules, openAiResponsesRules } from './openai.ts';
import { withoutOwnPictures } from './own-pictures.ts';
import { withReadableBlocks } from './readable-blocks.ts';
import type { FittedInput, RuledCall, VendorRules, Violation } from './rule.ts';
import { renameTools, withoutRepeatedTools } from './tool-names.ts';
import { withResultsAfterCalls } from './tool-results.ts';

const ANY_NAME = { pattern: /^/, maxChars: 256 } as const;
const NO_RULES: VendorRules = { toolName: ANY_NAME };

const RULES: Readonly<Record<WireFamily, VendorRules>> = {
  'openai-responses': openAiResponsesRules,
  'openai-chat': compatibleChatRules,
  'azure-openai': openAiChatRules,
  'anthropic-messages': anthropicRules,
  bedrock: bedrockRules,
  google: googleRules,
  cohere: cohereRules,
  'ai-sdk': NO_RULES,
};

/** The first violation; null for a request that may be sent. */
export function findViolation(call: RuledCall): Violation | null {
  if (call.config.quirks?.vendorRules === false) return null;
  const [first] = rulesOf(call).violations?.(inOrder(readable(call))) ?? [];
  return first ?? null;
}

interface SentInput extends FittedInput {
  /** The client's name of a tool that the model calls. */
  readonly ownName: (sent: string) => string;
  /** Whether that is another name for any tool. */
  readonly isRenamed: boolean;
}

/** The input as it is sent. */
export function fitInput(call: RuledCall): SentInput {
  if (call.config.quirks?.vendorRules === false) {
    return { input: call.input, dropped: [], ownName: (sent) => sent, isRenamed: false };
  }
  const rules = rulesOf(call);
  const ordered = inOrder(readable(call));
  const pictures = hasOwnPictures(call) ? ['pictures of earlier answers'] : [];
  const effort = fitEffort(ordered);
  const own = rules.fit?.({ ...ordered, input: effort.input }) ?? { input: effort.input, dropped: [] };
  const fitted = own.input;
  const dropped = [...pictures, ...effort.dropped, ...own.dropped];
  const { input, ownName } = renameTools(fitted, rules.toolName);
  const isRenamed = input !== fitted;
  return { input: { ...input, messages: withTrueImageTypes(input.messages) }, dropped, ownName, isRenamed };
}

function hasOwnPictures({ config, input }: RuledCall): boolean {
  return withoutOwnPictures(input.messages, config.wire) !== input.messages;
}

/**
 * Blocks of Anthropic's format as text for other vendors, and pictures of the model only where it takes them. Each tool
 * once.
 */
function readable(call: RuledCall): RuledCall {
  const { config, input } = call;
  const own = withoutOwnPictures(input.messages, config.wire);
  const isAnthropic = config.wire === 'anthropic-messages' || config.wire === 'bedrock';
  const messages = isAnthropic ? own : withReadableBlocks(own);
  const tools = withoutRepeatedTools(input.tools);
  if (messages === input.messages && tools === input.tools) return call;
  return { ...call, input: { ...input, messages, ...(tools === undefined ? {} : { tools }) } };
}

function inOrder(call: RuledCall): RuledCall {
  const messages = withResultsAfterCalls(call.input.messages);
  return messages === call.input.messages ? call : { ...call, input: { ...call.input, messages } };
}

/** Servers of chat completions other than OpenAI's have fewer rules. */
function rulesOf({ config: { wire, quirks } }: RuledCall): VendorRules {
  return wire === 'openai-chat' && quirks?.vendorRules === true ? openAiChatRules : RULES[wire];
}
