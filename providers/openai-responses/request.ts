/** A call as the body of `POST /v1/responses`. Source: OpenAI API reference, "Create a model response". */
import type { ResponseCreateParamsStreaming } from 'openai/resources/responses/responses';
import { textOfMessage } from '../../contracts/content.ts';
import { continueInstruction } from '../continue-instruction.ts';
import type { ProviderCall } from '../provider.ts';

export function toRequest({
  model,
  input,
  maxOutputTokens,
  resume,
}: ProviderCall): ResponseCreateParamsStreaming {
  const continued = 'deliveredText' in resume ? continueInstruction(resume.deliveredText) : [];
  return {
    model,
    input: [...input.messages, ...continued].map((message) => ({
      role: message.role,
      content: textOfMessage(message),
    })),
    max_output_tokens: maxOutputTokens,
    // The response runs on at the provider when we are gone, and can be taken up again.
    background: true,
    stream: true,
    store: true,
    ...(input.system === undefined ? {} : { instructions: input.system }),
    ...(input.temperature === undefined ? {} : { temperature: input.temperature }),
  };
}
