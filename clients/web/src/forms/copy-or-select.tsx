/** Copies a text. Browsers offer the clipboard only on HTTPS and localhost; elsewhere the text gets selected. */
import { useState } from 'preact/hooks';

export function CopyOrSelect({ text, sourceId }: { text: string; sourceId: string }) {
  const [state, setState] = useState<'idle' | 'copied' | 'selected'>('idle');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setState('copied');
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      select(sourceId);
      setState('selected');
    }
  };
  return (
    <>
      <button type="button" class="main" onClick={copy}>
        Copy
      </button>
      <span role="status" class="hint">
        {state === 'copied' && 'Copied.'}
        {state === 'selected' && 'Selected: copy it with your keyboard.'}
      </span>
    </>
  );
}

function select(id: string): void {
  const source = document.getElementById(id);
  if (source !== null) getSelection()?.selectAllChildren(source);
}
