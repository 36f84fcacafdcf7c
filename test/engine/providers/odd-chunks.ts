/** Chunks of chat completions. */
export const CHAT = 'openai-chat';

export const choice = (delta: unknown, finish_reason: string | null = null, more: object = {}) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta, finish_reason }],
  ...more,
});

/** A part of a tool call. */
export const callPart = (index: number | undefined, id: string | undefined, called: object) => ({
  ...(index === undefined ? {} : { index }),
  ...(id === undefined ? {} : { id, type: 'function' }),
  function: called,
});

export const hi = choice({ content: 'Hi' });
export const end = choice({}, 'stop');
export const run = { command: 'ls -la' };
