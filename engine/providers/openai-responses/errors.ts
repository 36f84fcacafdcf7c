/** The Responses API fails as chat completions do: the same SDK, the same bodies. */
export { toError } from '../openai-chat/errors.ts';
