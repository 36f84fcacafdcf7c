/** Sets or changes a limit. People enter US dollars; the API takes micro-USD. */

import { useState } from 'preact/hooks';
import type { z } from 'zod';
import { type BudgetUnit, budgetLimitSchema, budgetSubjects } from '../../../../../contracts/budgets.ts';
import { Dialog } from '../../forms/dialog.tsx';
import { Field, numberOf, SchemaForm, textOf } from '../../forms/schema-form.tsx';
import { sendJson } from '../../session.ts';
import { type LimitView, subjectOf } from './shapes.ts';

const MICRO_USD = 1_000_000;
const UNITS: Readonly<Record<BudgetUnit, string>> = { tokens: 'Tokens', 'micro-usd': 'US dollars' };
/** Suggestions; the field takes every window that the API takes. */
const WINDOWS = ['day', 'month', '1h', '24h', '7d', '30d'] as const;

interface LimitFormProperties {
  /** null: a new limit. */
  readonly limit: LimitView | null;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

export function LimitForm({ limit, onDone, onClose }: LimitFormProperties) {
  const send = async (body: z.output<typeof budgetLimitSchema>) => {
    await sendJson('PUT', '/v1/budgets/limits', body);
    onDone();
  };
  const title = limit === null ? 'Set a limit' : `The limit of ${subjectOf(limit)} per ${limit.window}`;
  return (
    <Dialog title={title} onClose={onClose}>
      <SchemaForm
        schema={budgetLimitSchema}
        read={(fields) => bodyOf(fields, limit)}
        send={send}
        action={limit === null ? 'Set the limit' : 'Save the limit'}
        onCancel={onClose}
      >
        {limit === null && <KeyFields />}
        <AmountFields limit={limit} />
        <ModeFields limit={limit} />
      </SchemaForm>
    </Dialog>
  );
}

/** What names a limit: these cannot be edited, since another name is another limit. */
function KeyFields() {
  return (
    <>
      <div class="pair">
        <Field
          label="Per"
          name="per"
          control={(attributes) => (
            <select {...attributes}>
              {budgetSubjects.map((per) => (
                <option key={per}>{per}</option>
              ))}
            </select>
          )}
        />
        <Field
          label="Name"
          name="id"
          hint="* stands for each one that has no limit itself."
          control={(attributes) => <input {...attributes} defaultValue="*" autocomplete="off" />}
        />
      </div>
      <Field
        label="Window"
        name="window"
        hint="day or month of the calendar, or a rolling window from 1h to 31d."
        control={(attributes) => (
          <>
            <input {...attributes} list="windows" defaultValue="day" autocomplete="off" />
            <datalist id="windows">
              {WINDOWS.map((window) => (
                <option key={window} value={window} />
              ))}
            </datalist>
          </>
        )}
      />
    </>
  );
}

function AmountFields({ limit }: { limit: LimitView | null }) {
  const [isExempt, setExempt] = useState(limit !== null && limit.amount === null);
  const [unit, setUnit] = useState<BudgetUnit>(limit?.unit ?? 'tokens');
  return (
    <>
      <div class="pair">
        <Field
          label={`Amount in ${unit === 'tokens' ? 'tokens' : 'US dollars'}`}
          name="amount"
          wrong={
            unit === 'tokens'
              ? 'Expected a whole number of tokens, 0 or more.'
              : 'Expected US dollars, with at most 6 decimals.'
          }
          control={(attributes) => (
            <input
              {...attributes}
              type="number"
              min={0}
              step={unit === 'tokens' ? 1 : 'any'}
              inputMode="decimal"
              disabled={isExempt}
              defaultValue={shownAmount(limit)}
            />
          )}
        />
        {limit === null ? (
          <Field
            label="Unit"
            name="unit"
            control={(attributes) => (
              <select
                {...attributes}
                onChange={(event) => setUnit(event.currentTarget.value === 'tokens' ? 'tokens' : 'micro-usd')}
              >
                {Object.entries(UNITS).map(([value, name]) => (
                  <option key={value} value={value}>
                    {name}
                  </option>
                ))}
              </select>
            )}
          />
        ) : null}
      </div>
      <label class="check">
        <input
          type="checkbox"
          name="exempt"
          checked={isExempt}
          onChange={(event) => setExempt(event.currentTarget.checked)}
        />
        No limit, even if one for all would apply
      </label>
    </>
  );
}

function ModeFields({ limit }: { limit: LimitView | null }) {
  return (
    <>
      <div class="pair">
        <Field
          label="When it is reached"
          name="mode"
          control={(attributes) => (
            <select {...attributes}>
              <option value="hard">Refuse (hard)</option>
              <option value="soft" selected={limit?.mode === 'soft'}>
                Only warn (soft)
              </option>
            </select>
          )}
        />
        <Field
          label="Warn at, in %"
          name="warnAt"
          wrong="Expected more than 0 and at most 100."
          control={(attributes) => (
            <input
              {...attributes}
              type="number"
              min={1}
              max={100}
              step="any"
              inputMode="decimal"
              defaultValue={String(Math.round((limit?.warnAt ?? 0.8) * 10_000) / 100)}
            />
          )}
        />
      </div>
      <Field
        label="Time zone"
        name="timeZone"
        isOptional
        hint="Where a day or month starts, such as Europe/Berlin. If empty: that of the config."
        control={(attributes) => (
          <input {...attributes} defaultValue={limit?.timeZone ?? ''} autocomplete="off" />
        )}
      />
    </>
  );
}

function bodyOf(fields: FormData, limit: LimitView | null): unknown {
  const key =
    limit === null
      ? {
          per: fields.get('per'),
          id: textOf(fields, 'id') ?? '',
          window: textOf(fields, 'window') ?? '',
          unit: fields.get('unit'),
        }
      : { per: limit.per, id: limit.id, window: limit.window, unit: limit.unit };
  const percent = numberOf(fields, 'warnAt');
  return {
    ...key,
    amount: fields.get('exempt') === null ? amountIn(numberOf(fields, 'amount'), key.unit) : null,
    mode: fields.get('mode'),
    warnAt: percent === undefined ? undefined : percent / 100,
    timeZone: textOf(fields, 'timeZone'),
  };
}

/** NaN, which the schema refuses, for an empty field; a part of a micro-dollar stays, and is refused too. */
function amountIn(amount = Number.NaN, unit: unknown): number {
  if (unit === 'tokens') return amount;
  const microUsd = amount * MICRO_USD;
  const whole = Math.round(microUsd);
  // 0.29 * 1,000,000 is not quite 290,000.
  return Math.abs(microUsd - whole) < 0.001 ? whole : microUsd;
}

function shownAmount(limit: LimitView | null): string {
  if (limit === null || limit.amount === null) return '';
  return String(limit.unit === 'tokens' ? limit.amount : limit.amount / MICRO_USD);
}
