/** A block of code in an answer, with a button that copies it. */
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { CopyButton } from '../copy-button.tsx';

export function CodeBlock({ children }: { children?: ComponentChildren }) {
  const code = useRef<HTMLPreElement>(null);
  return (
    <div class="code-block">
      <CopyButton what="code" text={() => code.current?.textContent ?? ''} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard must reach it */}
      <pre ref={code} tabIndex={0}>
        {children}
      </pre>
    </div>
  );
}
