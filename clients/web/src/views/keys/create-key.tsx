/** The form that creates a key. */
import type { z } from 'zod';
import { createKeySchema, type NewKey, type Scope } from '../../../../../contracts/keys.ts';
import { DAY_MS } from '../../../../../contracts/time.ts';
import { Dialog } from '../../forms/dialog.tsx';
import { Field, FieldFault, numberOf, SchemaForm, textOf } from '../../forms/schema-form.tsx';
import { sendJson, session } from '../../session.ts';

const LIVES = [
  { name: 'Never', ms: '' },
  { name: 'In 1 day', ms: String(DAY_MS) },
  { name: 'In 7 days', ms: String(7 * DAY_MS) },
  { name: 'In 30 days', ms: String(30 * DAY_MS) },
  { name: 'In 90 days', ms: String(90 * DAY_MS) },
  { name: 'In 1 year', ms: String(365 * DAY_MS) },
] as const;

/** What each scope allows. */
const SCOPES: readonly { readonly scope: Scope; readonly allows: string }[] = [
  { scope: 'generate', allows: 'submit, read and cancel generations of its user' },
  { scope: 'any-user', allows: 'the same for all users, for a backend' },
  { scope: 'admin', allows: 'keys, budgets, prompts and the cache of this tenant' },
  { scope: 'operator', allows: 'all of that in every tenant' },
];

interface CreateKeyProperties {
  readonly onCreated: (key: NewKey) => void;
  readonly onClose: () => void;
}

export function CreateKey({ onCreated, onClose }: CreateKeyProperties) {
  const isOperator = session.value?.scopes.includes('operator') ?? false;
  const send = async (body: z.output<typeof createKeySchema>) =>
    onCreated(await sendJson<NewKey>('POST', '/v1/keys', body));
  return (
    <Dialog title="Create a key" onClose={onClose}>
      <SchemaForm
        schema={createKeySchema}
        read={bodyOf}
        send={send}
        action="Create the key"
        onCancel={onClose}
      >
        <Field
          label="Name"
          name="name"
          isOptional
          hint="For people, such as “billing service”."
          control={(attributes) => <input {...attributes} maxLength={100} autocomplete="off" />}
        />
        <div class="pair">
          <Field
            label="User"
            name="user"
            hint="Debited if a request names no user."
            control={(attributes) => <input {...attributes} required autocomplete="off" />}
          />
          <Field
            label="Team"
            name="team"
            isOptional
            control={(attributes) => <input {...attributes} autocomplete="off" />}
          />
        </div>
        {isOperator && (
          <Field
            label="Tenant"
            name="tenant"
            isOptional
            hint={`If empty: ${session.value?.tenant}.`}
            control={(attributes) => <input {...attributes} autocomplete="off" />}
          />
        )}
        <ScopeFields isOperator={isOperator} />
        <Field
          label="Expires"
          name="expiresInMs"
          control={(attributes) => (
            <select {...attributes}>
              {LIVES.map(({ name, ms }) => (
                <option key={name} value={ms}>
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

function ScopeFields({ isOperator }: { isOperator: boolean }) {
  return (
    <fieldset>
      <legend>Scopes</legend>
      {SCOPES.filter(({ scope }) => scope !== 'operator' || isOperator).map(({ scope, allows }) => (
        <label key={scope} class="check">
          <input type="checkbox" name="scopes" value={scope} defaultChecked={scope === 'generate'} />
          <span>
            {scope} <span class="muted">{allows}</span>
          </span>
        </label>
      ))}
      <FieldFault name="scopes" />
    </fieldset>
  );
}

function bodyOf(fields: FormData): unknown {
  return {
    user: textOf(fields, 'user') ?? '',
    name: textOf(fields, 'name'),
    team: textOf(fields, 'team'),
    tenant: textOf(fields, 'tenant'),
    scopes: fields.getAll('scopes'),
    expiresInMs: numberOf(fields, 'expiresInMs'),
  };
}
