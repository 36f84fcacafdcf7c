/** A synthetic session of a coding agent: the same every time, so that its bill can be compared. */

const CHARS_PER_TOKEN = 4;
/** As coding agents send: some 20 tools and a long system text, and files that they have read. */
const TOOLS = 20;
const TOOL_TOKENS = 450;
const SYSTEM_TOKENS = 6_000;
const RESULT_TOKENS = 700;
const ANSWER_TOKENS = 120;

/** The body of `POST /v1/messages` of one turn. */
interface AgentTurn {
  readonly system: string;
  readonly tools: readonly object[];
  readonly messages: readonly object[];
}

/** @returns the requests of a session: each repeats the one before it, with a tool call and its result more. */
export function agentSession(turns: number): readonly AgentTurn[] {
  const system = textOf('rule', SYSTEM_TOKENS);
  const tools = Array.from({ length: TOOLS }, (_, index) => ({
    name: `tool_${index}`,
    description: textOf(`tool ${index}`, TOOL_TOKENS),
    input_schema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
  }));
  const messages: object[] = [
    { role: 'user', content: `Fix the failing test. [[sim tokens=${ANSWER_TOKENS} delay_ms=0]]` },
  ];
  return Array.from({ length: turns }, (_, turn) => {
    const request = { system, tools, messages: [...messages] };
    const id = `toolu_${turn}`;
    const call = { type: 'tool_use', id, name: `tool_${turn % TOOLS}`, input: { path: `src/${turn}.ts` } };
    messages.push(
      {
        role: 'assistant',
        content: [{ type: 'text', text: textOf(`thought ${turn}`, ANSWER_TOKENS) }, call],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: id, content: textOf(`line of ${turn}`, RESULT_TOKENS) },
        ],
      },
    );
    return request;
  });
}

function textOf(topic: string, tokens: number): string {
  let text = '';
  for (let line = 0; text.length < tokens * CHARS_PER_TOKEN; line += 1)
    text += `The ${topic} number ${line}. `;
  return text.slice(0, tokens * CHARS_PER_TOKEN);
}
