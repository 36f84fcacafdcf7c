/**
 * Refuses an input that the model does not support before the call is sent, fits it to the rules of the vendor, and
 * limits the output to the model's maximum.
 */
import { type Message, type Part, partsOf } from '../../contracts/content.ts';
import type { GenerationInput } from '../../contracts/generation.ts';
import { roughInputTokens } from '../../contracts/tokens.ts';
import type { WireFamily } from '../../platform/config/schema.ts';
import type { CalledModels } from '../models/called-model.ts';
import { findInputRefusal } from '../models/refuse-input.ts';
import type { RuledCall } from '../models/rules/rule.ts';
import { fitInput } from '../models/rules/vendor-rules.ts';
import type { ProviderCall, ProviderEvent } from './provider.ts';

/** Whether every request must cap its output. */
const REQUIRES_CAP: Readonly<Record<WireFamily, boolean>> = {
  'openai-responses': false,
  'openai-chat': false,
  'azure-openai': false,
  'anthropic-messages': true,
  bedrock: true,
  google: false,
  cohere: false,
  'ai-sdk': false,
};

type Fittable = Pick<ProviderCall, 'model' | 'input' | 'maxOutputTokens'>;

export interface FittedCall<Call extends Fittable> {
  readonly call: Call;
  /** The format in which it is sent. */
  readonly wire: WireFamily;
  /** The events of its answer, with the tools by the names that the client gave them. */
  named(events: AsyncIterable<ProviderEvent>): AsyncIterable<ProviderEvent>;
}

/** @returns null if the config lacks the provider. @throws UnbrokenError for an input that the model refuses. */
export function fitCall<Call extends Fittable>(
  provider: string,
  call: Call,
  models: CalledModels,
): FittedCall<Call> | null {
  const input = withoutForeignThoughts(call.input, provider);
  const called = models.find({ provider, model: call.model }, input);
  if (called === null) return null;
  const refusal = findInputRefusal(called);
  if (refusal !== null) throw refusal;
  const fitted = fitInput(called);
  return {
    call: { ...call, maxOutputTokens: capOf(call, called), input: fitted.input },
    wire: called.config.wire,
    named: (events) => (fitted.isRenamed ? withOwnNames(events, fitted.ownName) : events),
  };
}

/** The cap of the call, within what the model can write. */
function capOf({ maxOutputTokens: cap, input }: Fittable, { config, facts }: RuledCall): number | null {
  const most = facts.maxOutputTokens;
  if (cap !== null) return Math.min(cap, most ?? Number.POSITIVE_INFINITY);
  if (!REQUIRES_CAP[config.wire]) return null;
  if (most === null) return input.maxOutputTokens;
  // Claude refuses a cap that does not fit into its window beside the input.
  const room = (facts.contextWindow ?? Number.POSITIVE_INFINITY) - roughInputTokens(input);
  return Math.max(Math.min(most, room), Math.min(most, input.maxOutputTokens));
}

async function* withOwnNames(
  events: AsyncIterable<ProviderEvent>,
  ownName: (sent: string) => string,
): AsyncGenerator<ProviderEvent> {
  for await (const event of events) {
    yield event.type === 'tool-call' ? { ...event, name: ownName(event.name) } : event;
  }
}

/** Thoughts that another provider signed are of no use to this one, which would refuse them. */
function withoutForeignThoughts(input: GenerationInput, provider: string): GenerationInput {
  const isForeign = (part: Part) =>
    part.type === 'native' && part.issuer !== undefined && part.issuer !== provider;
  if (!input.messages.some((message) => partsOf(message).some(isForeign))) return input;
  const messages = input.messages.flatMap((message): Message[] => {
    const content = partsOf(message).filter((part) => !isForeign(part));
    return content.length === 0 ? [] : [{ ...message, content }];
  });
  return { ...input, messages };
}
