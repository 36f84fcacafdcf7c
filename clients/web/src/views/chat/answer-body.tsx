/** What the model said: reasoning and tool calls, collapsed, and the text as Markdown. */
import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import type { Answer, GenerationState, ToolCall } from '../../generation-state.ts';

interface AnswerBodyProps {
  readonly answer: Answer;
  readonly voided?: GenerationState['voided'];
}

type MarkdownView = ComponentType<{ text: string; isWhole: boolean }>;
const markdown = signal<MarkdownView | null>(null);
let isLoading = false;

/** Until it is loaded, and if it cannot be, the text is shown as it is. */
function loadMarkdown(): void {
  if (isLoading) return;
  isLoading = true;
  import('../markdown/markdown.tsx').then(
    ({ Markdown }) => {
      markdown.value = Markdown;
    },
    () => {
      isLoading = false;
    },
  );
}

export function AnswerBody({ answer, voided = [] }: AnswerBodyProps) {
  const { text, reasoning, toolCalls, status, error, refusal } = answer;
  const isRunning = status === 'running';
  return (
    <>
      {reasoning !== '' && (
        <details class="aside">
          <summary>Reasoning</summary>
          <p class="as-is">{reasoning}</p>
        </details>
      )}
      {voided.length > 0 && (
        <details class="aside">
          <summary>Withdrawn text</summary>
          {voided.map((part) => (
            <p key={part.seq} class="as-is">
              <del>{part.text || part.reasoning}</del>
            </p>
          ))}
        </details>
      )}
      {(text !== '' || isRunning) && <Text text={text} isRunning={isRunning} />}
      {refusal !== undefined && <p class="as-is">{refusal}</p>}
      {toolCalls.map((call) => (
        <ToolCallView key={call.id} call={call} />
      ))}
      {error !== null && (
        <p class="fault">
          {error.message}{' '}
          {error.doc !== '' && (
            <a href={error.doc} target="_blank" rel="noreferrer">
              {error.code}
            </a>
          )}
        </p>
      )}
    </>
  );
}

/** Not a live region: a screen reader would announce every token. The status below it announces changes. */
function Text({ text, isRunning }: { text: string; isRunning: boolean }) {
  loadMarkdown();
  const View = markdown.value;
  return (
    <section class={isRunning ? 'text running' : 'text'} aria-label="Answer" aria-busy={isRunning}>
      {View === null ? <p class="as-is">{text}</p> : <View text={text} isWhole={!isRunning} />}
    </section>
  );
}

function ToolCallView({ call }: { call: ToolCall }) {
  return (
    <details class="aside">
      <summary>
        Calls <code>{call.name}</code>
      </summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard must reach it */}
      <pre class="tool-call" tabIndex={0}>
        {indented(call.arguments)}
      </pre>
    </details>
  );
}

/** While they arrive, the arguments are not JSON yet. */
function indented(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
