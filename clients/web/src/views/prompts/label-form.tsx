/** The form that points a label at one version, or at several by weight. */
import { useState } from 'preact/hooks';
import { z } from 'zod';
import {
  DEFAULT_LABEL,
  type LabelTarget,
  labelNameSchema,
  labelTargetSchema,
  type PromptView,
} from '../../../../../contracts/prompts.ts';
import { Dialog } from '../../forms/dialog.tsx';
import { Field, numberOf, SchemaForm, textOf } from '../../forms/schema-form.tsx';
import { sendJson } from '../../session.ts';
import { labelPath } from './label-path.ts';

// One of the two at a time, so that a fault is at its field and not that of a union.
const [versionTarget, armsTarget] = labelTargetSchema.options;
const oneVersionSchema = z.object({ label: labelNameSchema, target: versionTarget });
const armsSchema = z.object({ label: labelNameSchema, target: armsTarget });
const MOST_ARMS = 16;

interface LabelFormProperties {
  readonly prompt: PromptView;
  /** The label that is moved; null: a new one. */
  readonly label: { readonly label: string; readonly target: LabelTarget } | null;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

export function LabelForm({ prompt, label, onDone, onClose }: LabelFormProperties) {
  const arms = armsOf(label?.target, prompt.latest);
  const [count, setCount] = useState(arms.length);
  const isSplit = count > 1;
  const send = async (body: { label: string; target: LabelTarget }) => {
    await sendJson('PUT', labelPath(prompt.name, body.label), body.target);
    onDone();
  };
  return (
    <Dialog title={label === null ? 'Set a label' : `Move ${label.label}`} onClose={onClose}>
      <SchemaForm<z.ZodType<{ label: string; target: LabelTarget }>>
        schema={isSplit ? armsSchema : oneVersionSchema}
        read={(fields) => bodyOf(fields, label?.label, count)}
        send={send}
        action={label === null ? 'Set the label' : 'Move the label'}
        onCancel={onClose}
      >
        {label === null && (
          <Field
            label="Label"
            name="label"
            control={(attributes) => (
              <input {...attributes} defaultValue={DEFAULT_LABEL} autocomplete="off" />
            )}
          />
        )}
        {Array.from({ length: count }, (_, index) => (
          <Arm key={index} index={index} isSplit={isSplit} arm={arms[index]} latest={prompt.latest} />
        ))}
        {isSplit && (
          <Field
            label="Divided by"
            name="target.by"
            hint="By user: each user always gets the same version."
            control={(attributes) => (
              <select {...attributes}>
                <option value="user">user</option>
                <option value="generation" selected={byOf(label?.target) === 'generation'}>
                  generation
                </option>
              </select>
            )}
          />
        )}
        <div class="row">
          {count < MOST_ARMS && prompt.latest > count && (
            <button type="button" class="small" onClick={() => setCount(count + 1)}>
              Divide among one more version
            </button>
          )}
          {isSplit && (
            <button type="button" class="small" onClick={() => setCount(count - 1)}>
              Remove the last version
            </button>
          )}
        </div>
      </SchemaForm>
    </Dialog>
  );
}

interface ArmProperties {
  readonly index: number;
  readonly isSplit: boolean;
  readonly arm: { readonly version: number; readonly weight: number } | undefined;
  readonly latest: number;
}

function Arm({ index, isSplit, arm, latest }: ArmProperties) {
  return (
    <div class="pair">
      <Field
        label={isSplit ? `Version ${index + 1}` : 'Version'}
        name={isSplit ? `target.arms.${index}.version` : 'target.version'}
        hint={`1 to ${latest}`}
        control={(attributes) => (
          <input
            {...attributes}
            type="number"
            min={1}
            max={latest}
            defaultValue={String(arm?.version ?? Math.max(1, latest - index))}
          />
        )}
      />
      {isSplit && (
        <Field
          label={`Weight ${index + 1}`}
          name={`target.arms.${index}.weight`}
          control={(attributes) => (
            <input {...attributes} type="number" min={1} defaultValue={String(arm?.weight ?? 50)} />
          )}
        />
      )}
    </div>
  );
}

function bodyOf(fields: FormData, label: string | undefined, count: number): unknown {
  const name = label ?? textOf(fields, 'label') ?? '';
  if (count === 1) return { label: name, target: { version: numberOf(fields, 'target.version') } };
  const arms = Array.from({ length: count }, (_, index) => ({
    version: numberOf(fields, `target.arms.${index}.version`),
    weight: numberOf(fields, `target.arms.${index}.weight`),
  }));
  return { label: name, target: { arms, by: fields.get('target.by') } };
}

function armsOf(target: LabelTarget | undefined, latest: number): { version: number; weight: number }[] {
  if (target === undefined) return [{ version: latest, weight: 50 }];
  return 'version' in target ? [{ version: target.version, weight: 50 }] : target.arms;
}

function byOf(target: LabelTarget | undefined): 'user' | 'generation' {
  return target !== undefined && 'arms' in target ? target.by : 'user';
}
