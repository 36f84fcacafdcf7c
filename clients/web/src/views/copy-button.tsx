/** A small button that copies. Absent without a clipboard: on plain http, except on this machine. */
import { useEffect, useState } from 'preact/hooks';

const SHOWN_MS = 2_000;

export function CopyButton({ what, text }: { what: string; text: () => string }) {
  const [outcome, setOutcome] = useState<'Copied' | 'Not allowed' | null>(null);
  useEffect(() => {
    if (outcome === null) return;
    const timer = setTimeout(() => setOutcome(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  if (!('clipboard' in navigator)) return null;
  const copy = () => {
    navigator.clipboard.writeText(text()).then(
      () => setOutcome('Copied'),
      () => setOutcome('Not allowed'),
    );
  };
  return (
    <button type="button" class="small copy" onClick={copy}>
      {outcome ?? 'Copy'}
      <span class="visually-hidden"> {what}</span>
    </button>
  );
}
