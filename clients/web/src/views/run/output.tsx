/** The output of a run as the log has it: withdrawn text is struck through, and Markdown is not rendered. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { GenerationState } from '../../generation-state.ts';
import { CopyButton } from '../copy-button.tsx';

const NEAR_END_PX = 48;

export function Output({ state }: { state: GenerationState }) {
  const { voided, reasoning, text, toolCalls, error } = state;
  return (
    <section class="card" aria-labelledby="output-title">
      <header class="row">
        <h2 id="output-title">Output</h2>
        {text !== '' && <CopyButton what="output" text={() => text} />}
      </header>
      {voided.map((part) => (
        <figure key={part.seq} class="withdrawn">
          <figcaption>
            Withdrawn at event {part.seq}: {part.reason}
          </figcaption>
          <del>{part.reasoning + part.text}</del>
        </figure>
      ))}
      {reasoning !== '' && (
        <details class="aside">
          <summary>Reasoning</summary>
          <p class="as-is">{reasoning}</p>
        </details>
      )}
      <Text text={text} isRunning={state.status === 'running'} />
      {toolCalls.map((call) => (
        <pre key={call.id} class="tool-call">
          {call.name}({call.arguments})
        </pre>
      ))}
      {error !== null && (
        <p class="fault">
          {error.message}{' '}
          <a href={error.doc} target="_blank" rel="noreferrer">
            {error.code}
          </a>
        </p>
      )}
    </section>
  );
}

/** Not a live region: a screen reader would announce every token. */
function Text({ text, isRunning }: { text: string; isRunning: boolean }) {
  const box = useRef<HTMLElement>(null);
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    // A reader who has scrolled up stays there.
    if (isRunning && isAtEnd.current && box.current !== null)
      box.current.scrollTop = box.current.scrollHeight;
  }, [text, isRunning]);
  const noteScroll = () => {
    const { scrollHeight = 0, scrollTop = 0, clientHeight = 0 } = box.current ?? {};
    isAtEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  };
  return (
    <section
      ref={box}
      class={isRunning ? 'output running' : 'output'}
      aria-label="Text"
      aria-busy={isRunning}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard must reach it
      tabIndex={0}
      onScroll={noteScroll}
    >
      {text}
    </section>
  );
}
