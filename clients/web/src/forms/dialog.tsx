/** A modal dialog, open as long as it is rendered. The browser keeps the focus in it, and returns it afterwards. */
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Failure } from '../views/parts.tsx';

interface DialogProperties {
  readonly title: string;
  /** Called when it is closed by Escape. */
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function Dialog({ title, onClose, children }: DialogProperties) {
  const titleId = useId();
  const box = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const dialog = box.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  const cancel = (event: Event) => {
    event.preventDefault();
    onClose();
  };
  return (
    <dialog ref={box} class="card dialog" aria-labelledby={titleId} onCancel={cancel}>
      <h2 id={titleId}>{title}</h2>
      {children}
    </dialog>
  );
}

interface ConfirmProperties extends DialogProperties {
  /** The button: a verb with its object. */
  readonly action: string;
  readonly onConfirm: () => Promise<void>;
}

/** Asks before something that cannot be undone. The text says what it will do. */
export function Confirm({ title, action, onConfirm, onClose, children }: ConfirmProperties) {
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setBusy] = useState(false);
  const confirm = async () => {
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
    } catch (cause) {
      setError(cause instanceof Error ? cause : new Error(String(cause)));
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      {error !== null && <Failure error={error} />}
      <div class="row actions">
        <button type="button" class="bad" disabled={isBusy} onClick={confirm}>
          {action}
        </button>
        <button type="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}
