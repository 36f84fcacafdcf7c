/** The form that gives a key a new secret, and says how long the old one stays valid. */
import type { z } from 'zod';
import { type KeyView, type NewKey, rotateKeySchema } from '../../../../../contracts/keys.ts';
import { HOUR_MS } from '../../../../../contracts/time.ts';
import { Dialog } from '../../forms/dialog.tsx';
import { Field, numberOf, SchemaForm } from '../../forms/schema-form.tsx';
import { sendJson } from '../../session.ts';

const OVERLAPS = [
  { name: 'It is refused at once', ms: 0 },
  { name: '1 hour', ms: HOUR_MS },
  { name: '24 hours', ms: 24 * HOUR_MS },
  { name: '7 days', ms: 7 * 24 * HOUR_MS },
  { name: '30 days', ms: 30 * 24 * HOUR_MS },
] as const;
const DEFAULT_OVERLAP_MS = 24 * HOUR_MS;

interface RotateKeyProperties {
  readonly of: KeyView;
  readonly onRotated: (key: NewKey) => void;
  readonly onClose: () => void;
}

export function RotateKey({ of: key, onRotated, onClose }: RotateKeyProperties) {
  const send = async (body: z.output<typeof rotateKeySchema>) =>
    onRotated(await sendJson<NewKey>('POST', `/v1/keys/${encodeURIComponent(key.id)}/rotate`, body));
  return (
    <Dialog title={`Rotate ${key.name ?? key.id}`} onClose={onClose}>
      <p>The key gets a new secret and keeps its id, its scopes and its budgets.</p>
      <SchemaForm
        schema={rotateKeySchema}
        read={(fields) => ({ overlapMs: numberOf(fields, 'overlapMs') })}
        send={send}
        action="Rotate the key"
        onCancel={onClose}
      >
        <Field
          label="The old secret stays valid for"
          name="overlapMs"
          hint="Until then, replace it wherever it is in use."
          control={(attributes) => (
            <select {...attributes} defaultValue={String(DEFAULT_OVERLAP_MS)}>
              {OVERLAPS.map(({ name, ms }) => (
                <option key={ms} value={ms} selected={ms === DEFAULT_OVERLAP_MS}>
                  {name}
                </option>
              ))}
            </select>
          )}
        />
      </SchemaForm>
    </Dialog>
  );
}
