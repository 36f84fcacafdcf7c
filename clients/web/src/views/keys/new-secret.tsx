/** The only view of a secret: the API stores its hash alone. */
import type { NewKey } from '../../../../../contracts/keys.ts';
import { CopyOrSelect } from '../../forms/copy-or-select.tsx';
import { Dialog } from '../../forms/dialog.tsx';

interface NewSecretProperties {
  readonly of: NewKey;
  readonly verb: 'created' | 'rotated';
  readonly onClose: () => void;
}

export function NewSecret({ of: key, verb, onClose }: NewSecretProperties) {
  return (
    <Dialog title={`The key is ${verb}`} onClose={onClose}>
      <p>Copy it now: it is shown only this once.</p>
      <code class="secret" id="new-secret">
        {key.key}
      </code>
      <div class="row actions">
        <CopyOrSelect text={key.key} sourceId="new-secret" />
        <button type="button" onClick={onClose}>
          Done
        </button>
      </div>
    </Dialog>
  );
}
