/** The labels of a prompt: each points to one version, or to several by weight. */
import { useState } from 'preact/hooks';
import { DEFAULT_LABEL, type LabelTarget, type PromptView } from '../../../../../contracts/prompts.ts';
import { formatShare } from '../../format.ts';
import { Confirm } from '../../forms/dialog.tsx';
import { canAdminister, sendJson } from '../../session.ts';
import { Empty } from '../parts.tsx';
import { LabelForm } from './label-form.tsx';
import { labelPath } from './label-path.ts';

type Step =
  | { readonly is: 'set' }
  | { readonly is: 'move' | 'remove'; readonly label: string; readonly target: LabelTarget };

interface LabelsProperties {
  readonly prompt: PromptView;
  readonly onChange: () => void;
}

export function Labels({ prompt, onChange }: LabelsProperties) {
  const [step, setStep] = useState<Step | null>(null);
  const labels = Object.entries(prompt.labels).toSorted(([a], [b]) => a.localeCompare(b));
  const close = () => setStep(null);
  const done = () => {
    close();
    onChange();
  };
  const remove = async (label: string) => {
    await sendJson('DELETE', labelPath(prompt.name, label));
    done();
  };
  return (
    <section class="card" aria-labelledby="labels-title">
      <header class="row">
        <h2 id="labels-title">Labels</h2>
        {canAdminister.value && (
          <button type="button" class="end" onClick={() => setStep({ is: 'set' })}>
            Set a label
          </button>
        )}
      </header>
      {labels.length === 0 && (
        <Empty title="No labels yet">
          A request that names no version gets the label {DEFAULT_LABEL}: set it to the version that users
          should get.
        </Empty>
      )}
      {labels.length > 0 && <LabelTable name={prompt.name} labels={labels} onStep={setStep} />}
      {step?.is === 'set' && <LabelForm prompt={prompt} label={null} onDone={done} onClose={close} />}
      {step?.is === 'move' && <LabelForm prompt={prompt} label={step} onDone={done} onClose={close} />}
      {step?.is === 'remove' && (
        <Confirm
          title={`Remove the label ${step.label}?`}
          action="Remove the label"
          onConfirm={() => remove(step.label)}
          onClose={close}
        >
          <p>Requests that name it are refused until it is set again. The versions stay.</p>
        </Confirm>
      )}
    </section>
  );
}

interface LabelTableProperties {
  readonly name: string;
  readonly labels: readonly (readonly [string, LabelTarget])[];
  readonly onStep: (step: Step) => void;
}

function LabelTable({ name, labels, onStep }: LabelTableProperties) {
  return (
    <table class="list">
      <caption class="visually-hidden">Labels of {name}</caption>
      <thead>
        <tr>
          <th scope="col">Label</th>
          <th scope="col">Points to</th>
          <th scope="col">
            <span class="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {labels.map(([label, target]) => (
          <tr key={label}>
            <th scope="row">
              <code>{label}</code>
            </th>
            <td data-name="Points to">{inWords(target)}</td>
            <td class="buttons">
              {canAdminister.value && (
                <>
                  <button type="button" class="small" onClick={() => onStep({ is: 'move', label, target })}>
                    Move<span class="visually-hidden"> {label}</span>
                  </button>
                  <button
                    type="button"
                    class="small bad"
                    onClick={() => onStep({ is: 'remove', label, target })}
                  >
                    Remove<span class="visually-hidden"> {label}</span>
                  </button>
                </>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function inWords(target: LabelTarget): string {
  if ('version' in target) return `v${target.version}`;
  const sum = target.arms.reduce((weights, { weight }) => weights + weight, 0);
  const arms = target.arms.map(({ version, weight }) => `v${version} ${formatShare(weight, sum)}`);
  return `${arms.join(', ')}, by ${target.by}`;
}
