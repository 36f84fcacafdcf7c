/** What Anthropic's Messages API refuses in the turns of a conversation. */
import { decryptThought, isSignatureOf } from '../thought-signatures.ts';
import { refusesPrefill, takesLateSystem } from './claude-models.ts';
import { type Fields, fieldsOf, imageTypeOf, isBase64, objectsOf, textOf } from './json-values.ts';
import { firstProblem, type Problem, type Rule, type VendorRequest } from './rule.ts';

export const ANTHROPIC_DOCS = 'https://platform.claude.com/docs/en';
const ID = /^[a-zA-Z0-9_-]+$/;
const THOUGHTS = ['thinking', 'redacted_thinking'];

export function thinkingTypeOf({ thinking }: Fields): string {
  return textOf(fieldsOf(thinking)['type']);
}

export function isThinking(body: Fields): boolean {
  return ['enabled', 'adaptive', 'between_tools'].includes(thinkingTypeOf(body));
}

interface Turn {
  readonly index: number;
  readonly role: string;
  readonly content: unknown;
  readonly blocks: readonly Fields[];
}

function turnsOf({ messages }: Fields): readonly Turn[] {
  return objectsOf(messages).map(({ role, content }, index) => ({
    index,
    role: textOf(role),
    content,
    blocks: typeof content === 'string' ? [{ type: 'text', text: content }] : objectsOf(content),
  }));
}

function ofType(blocks: readonly Fields[], type: string): readonly Fields[] {
  return blocks.filter((block) => block['type'] === type);
}

/** Neighbouring turns of one role count as one. */
function joinedTurns(body: Fields): readonly Turn[] {
  const joined: Turn[] = [];
  for (const turn of turnsOf(body)) {
    const last = joined.at(-1);
    if (last?.role !== turn.role) joined.push(turn);
    else joined[joined.length - 1] = { ...last, blocks: [...last.blocks, ...turn.blocks], content: null };
  }
  return joined;
}

function emptyContent({ body }: VendorRequest): Problem | null {
  const turns = turnsOf(body);
  if (turns.length === 0) return { message: 'messages: at least one message is required' };
  const isLastAssistant = (turn: Turn) => turn.index === turns.length - 1 && turn.role === 'assistant';
  const empty = turns.find(
    (turn) => (turn.content === '' || turn.blocks.length === 0) && !isLastAssistant(turn),
  );
  if (empty !== undefined) {
    const rule = 'all messages must have non-empty content except for the optional final assistant message';
    return { message: `messages.${empty.index}: ${rule}` };
  }
  const lists = [
    ['system', objectsOf(body['system'])],
    ...turns.filter(({ content }) => typeof content !== 'string').map(({ blocks }) => ['messages', blocks]),
  ] as [string, Fields[]][];
  return firstProblem(lists, ([place, blocks]) => {
    const texts = ofType(blocks, 'text').map(({ text }) => textOf(text));
    if (texts.some((text) => text === ''))
      return { message: `${place}: text content blocks must be non-empty` };
    return texts.some((text) => text.trim() === '')
      ? { message: `${place}: text content blocks must contain non-whitespace text` }
      : null;
  });
}

function wrongIds({ body }: VendorRequest): Problem | null {
  const seen = new Set<string>();
  return firstProblem(turnsOf(body), ({ index, blocks }) =>
    firstProblem(blocks.entries(), ([place, { type, id, tool_use_id: resultId, input }]) => {
      const own = type === 'tool_use' ? id : type === 'tool_result' ? resultId : undefined;
      if (own === undefined) return null;
      const name = type === 'tool_use' ? 'tool_use.id' : 'tool_result.tool_use_id';
      const at = `messages.${index}.content.${place}`;
      if (!ID.test(textOf(own)))
        return { message: `${at}.${name}: String should match pattern '${ID.source}'` };
      if (type === 'tool_result') return null;
      if (typeof input !== 'object' || input === null || Array.isArray(input)) {
        return { message: `${at}.tool_use.input: Input should be a valid dictionary` };
      }
      if (seen.has(textOf(own))) return { message: 'messages: `tool_use` ids must be unique' };
      seen.add(textOf(own));
      return null;
    }),
  );
}

/** The results of a turn's calls stand in the next turn, before anything else. */
function unpairedTools({ body }: VendorRequest): Problem | null {
  const turns = joinedTurns(body).filter(({ role }) => role !== 'system');
  return firstProblem(turns.entries(), ([place, { index, role, blocks }]) => {
    const before = turns[place - 1];
    const called =
      role === 'user' ? ofType(before?.blocks ?? [], 'tool_use').map(({ id }) => textOf(id)) : [];
    const results = ofType(blocks, 'tool_result').map(({ tool_use_id }) => textOf(tool_use_id));
    const lost = results.find((id) => !called.includes(id));
    if (lost !== undefined) {
      const must =
        'Each `tool_result` block must have a corresponding `tool_use` block in the previous message.';
      const found = `unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${lost}`;
      return { message: `messages.${index}.content.0: ${found}. ${must}` };
    }
    const twice = results.find((id, first) => results.indexOf(id) !== first);
    if (twice !== undefined) {
      return {
        message: `messages.${index}.content.0: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${twice}`,
      };
    }
    const leading = blocks.findIndex(({ type }) => type !== 'tool_result');
    const first = leading < 0 ? results : results.slice(0, leading);
    const missing = called.filter((id) => !first.includes(id));
    if (missing.length > 0) return missingResults(before?.index ?? 0, missing);
    const isLast = place === turns.length - 1;
    const open = role === 'assistant' && isLast ? ofType(blocks, 'tool_use') : [];
    return open.length > 0
      ? missingResults(
          index,
          open.map(({ id }) => textOf(id)),
        )
      : null;
  });
}

/** A failure has words, and nothing else. */
function wrongFailures({ body }: VendorRequest): Problem | null {
  return firstProblem(turnsOf(body), ({ index, blocks }) =>
    firstProblem(blocks.entries(), ([place, { type, content, is_error: isError }]) => {
      if (type !== 'tool_result' || isError !== true) return null;
      const at = `messages.${index}.content.${place}.tool_result`;
      const inner = objectsOf(content);
      if (textOf(content) === '' && inner.length === 0)
        return { message: `${at}: content cannot be empty if \`is_error\` is true` };
      return ofType(inner, 'text').length === inner.length
        ? null
        : { message: `${at}: all content must be type \`text\` if \`is_error\` is true` };
    }),
  );
}

function missingResults(index: number, ids: readonly string[]): Problem {
  const must = 'Each `tool_use` block must have a corresponding `tool_result` block in the next message.';
  const found = '`tool_use` ids were found without `tool_result` blocks immediately after';
  return { message: `messages.${index}: ${found}: ${ids.join(', ')}. ${must}` };
}

function wrongThoughts({ body, apiKey }: VendorRequest): Problem | null {
  const turns = turnsOf(body);
  const signed = firstProblem(turns, ({ index, role, blocks }) =>
    firstProblem(blocks.entries(), ([place, { type, thinking, signature, data }]) => {
      const at = `messages.${index}.content.${place}`;
      if (!THOUGHTS.includes(textOf(type))) return null;
      if (role !== 'assistant')
        return { message: `${at}: \`${type}\` blocks may only be in \`assistant\` messages` };
      if (type === 'thinking' && !isSignatureOf(textOf(signature), apiKey, textOf(thinking))) {
        return { message: `${at}: Invalid \`signature\` in \`thinking\` block` };
      }
      return type === 'redacted_thinking' && decryptThought(apiKey, textOf(data)) === null
        ? { message: `${at}: Invalid \`data\` in \`redacted_thinking\` block` }
        : null;
    }),
  );
  return signed ?? misplacedThoughts(body);
}

function misplacedThoughts(body: Fields): Problem | null {
  const turns = joinedTurns(body);
  const last = turns.findLast(({ role }) => role === 'assistant');
  const isThought = (block: Fields | undefined) => THOUGHTS.includes(textOf(block?.['type']));
  if (last !== undefined && isThought(last.blocks.at(-1))) {
    return {
      message: `messages.${last.index}: The final block in an assistant message cannot be \`thinking\`.`,
    };
  }
  const isFinal = last !== undefined && last === turns.at(-1);
  if (isFinal && !isThinking(body) && last.blocks.some(isThought)) {
    const rule =
      'When thinking is disabled, an `assistant` message in the final position cannot contain `thinking`.';
    return { message: `messages.${last.index}.content.0: ${rule}` };
  }
  // Adaptive thinking does not ask for it ("Adaptive thinking").
  const isInToolUse = last !== undefined && ofType(last.blocks, 'tool_use').length > 0;
  if (thinkingTypeOf(body) !== 'enabled' || !(isFinal || isInToolUse) || last === undefined) return null;
  const [first] = last.blocks;
  if (isThought(first) || (isInToolUse && last !== turns.at(-2))) return null;
  const rule = 'When `thinking` is enabled, a final `assistant` message must start with a thinking block';
  const found = `Expected \`thinking\` or \`redacted_thinking\`, but found \`${first?.['type']}\``;
  return { message: `messages.${last.index}.content.0.type: ${found}. ${rule}.` };
}

function wrongPrefill({ body }: VendorRequest): Problem | null {
  const last = turnsOf(body).at(-1);
  if (last?.role !== 'assistant') return null;
  if (refusesPrefill(String(body['model']))) {
    return {
      message:
        'This model does not support assistant message prefill. The conversation must end with a user message.',
    };
  }
  if (fieldsOf(body['output_config'])['format'] !== undefined) {
    return { message: 'Prefilling is not supported with structured outputs.' };
  }
  const text = textOf(last.blocks.at(-1)?.['text']);
  return /\s$/.test(text)
    ? { message: 'messages: final assistant content cannot end with trailing whitespace' }
    : null;
}

function wrongMedia({ body }: VendorRequest): Problem | null {
  return firstProblem(turnsOf(body), ({ index, blocks }) =>
    firstProblem(blocks.entries(), ([place, block]) => {
      const inner = block['type'] === 'tool_result' ? objectsOf(block['content']) : [block];
      return firstProblem(inner, ({ type, source }) => {
        const { type: kind, data, media_type: mediaType } = fieldsOf(source);
        if (type !== 'image' || kind !== 'base64') return null;
        const at = `messages.${index}.content.${place}.image.source.base64`;
        if (!isBase64(textOf(data))) return { message: `${at}.data: invalid base64 data` };
        const actual = imageTypeOf(textOf(data));
        if (actual === '') return { message: 'Could not process image' };
        const wrong = `The image was specified using the ${mediaType} media type, but the image appears to be a ${actual} image`;
        return actual === mediaType ? null : { message: `${at}: ${wrong}` };
      });
    }),
  );
}

function emptyMarks({ body }: VendorRequest): Problem | null {
  return firstProblem(turnsOf(body), ({ index, blocks }) => {
    const place = blocks.findIndex(({ text, cache_control }) => text === '' && cache_control !== undefined);
    return place < 0
      ? null
      : {
          message: `messages.${index}.content.${place}.text: cache_control cannot be set for empty text blocks`,
        };
  });
}

/** After a user's turn, and before an answer or at the end; never two in a row. */
function misplacedSystem({ body }: VendorRequest): Problem | null {
  const turns = turnsOf(body);
  const isTaken = takesLateSystem(textOf(body['model']));
  return firstProblem(turns.entries(), ([index, { role }]) => {
    // Other servers of this format have their own rules.
    if (role !== 'system' || isTaken === null) return null;
    if (!isTaken) {
      return { message: `messages.${index}: role 'system' is not supported on this model` };
    }
    const [before, after] = [turns[index - 1]?.role, turns[index + 1]?.role];
    if (before === 'user' && (after === undefined || after === 'assistant')) return null;
    const rule =
      "role 'system' must follow a user turn and be the last message or be followed by an assistant turn";
    return { message: `messages.${index}: ${rule}` };
  });
}

export const ANTHROPIC_CONVERSATION_RULES: readonly Rule[] = [
  {
    name: 'empty blocks are not marked',
    source: `${ANTHROPIC_DOCS}/build-with-claude/prompt-caching`,
    find: emptyMarks,
  },
  {
    name: 'content',
    source: 'https://github.com/experientiallabs/experiential/pull/799',
    find: emptyContent,
  },
  {
    name: 'places of system messages',
    source: `${ANTHROPIC_DOCS}/build-with-claude/mid-conversation-system-messages`,
    find: misplacedSystem,
  },
  { name: 'ids of tool uses', source: `${ANTHROPIC_DOCS}/api/messages/create`, find: wrongIds },
  {
    name: 'tool uses and their results',
    source: `${ANTHROPIC_DOCS}/agents-and-tools/tool-use/handle-tool-calls`,
    find: unpairedTools,
  },
  {
    name: 'results of failed tools',
    source: 'https://github.com/jlevy/markform/issues/153',
    find: wrongFailures,
  },
  {
    name: 'signed thoughts',
    source: `${ANTHROPIC_DOCS}/build-with-claude/extended-thinking`,
    find: wrongThoughts,
  },
  { name: 'prefill', source: `${ANTHROPIC_DOCS}/api/errors`, find: wrongPrefill },
  { name: 'images', source: `${ANTHROPIC_DOCS}/build-with-claude/vision`, find: wrongMedia },
];
