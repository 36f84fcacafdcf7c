/** A call as the body of `POST /v1/messages`. Source: Anthropic API reference, "Messages". */
import type { MessageCreateParamsStreaming } from '@anthropic-ai/sdk/resources/messages';
import { textOfMessage } from '../../contracts/content.ts';
import type { Message } from '../../contracts/generation.ts';
import { continueInstruction } from '../continue-instruction.ts';
import type { ProviderCall } from '../provider.ts';

export function toRequest({
  model,
  input,
  maxOutputTokens,
  resume,
}: ProviderCall): MessageCreateParamsStreaming {
  return {
    model,
    messages: [...input.messages, ...continuation(resume)].map((message) => ({
      role: message.role,
      content: textOfMessage(message),
    })),
    max_tokens: maxOutputTokens,
    stream: true,
    ...(input.system === undefined ? {} : { system: input.system }),
    ...(input.temperature === undefined ? {} : { temperature: Math.min(1, input.temperature) }),
  };
}

function continuation(resume: ProviderCall['resume']): readonly Message[] {
  if (!('deliveredText' in resume)) return [];
  // The API refuses a last turn that ends in white space, and an empty one.
  const content = resume.deliveredText.trimEnd();
  if (content === '') return [];
  return resume.strategy === 'instruct' ? continueInstruction(content) : [{ role: 'assistant', content }];
}
