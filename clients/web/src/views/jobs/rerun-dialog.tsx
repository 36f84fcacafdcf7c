/** Another job that repeats one from a step, with another model if the user names one. */
import { rerunRequestSchema } from '../../../../../contracts/jobs.ts';
import { Dialog } from '../../forms/dialog.tsx';
import { Field, SchemaForm, textOf } from '../../forms/schema-form.tsx';
import { goTo } from '../../router.ts';
import { clientWith } from '../../session.ts';

interface RerunDialogProperties {
  readonly id: string;
  readonly from: string;
  readonly onClose: () => void;
}

export function RerunDialog({ id, from, onClose }: RerunDialogProperties) {
  const read = (fields: FormData) => {
    const model = textOf(fields, `steps.${from}.model`);
    return { from, ...(model === undefined ? {} : { steps: { [from]: { model } } }) };
  };
  return (
    <Dialog title={`Run again from ${from}`} onClose={onClose}>
      <p>
        Another job begins, with what the steps before it have made, at no cost. This one and its document
        stay as they are.
      </p>
      <SchemaForm
        schema={rerunRequestSchema}
        read={read}
        send={async (request) => goTo('jobs', (await clientWith().jobs.rerun(id, request)).id)}
        action="Start the job"
        onCancel={onClose}
      >
        <Field
          label={`Model of ${from}`}
          name={`steps.${from}.model`}
          isOptional
          hint="Such as openai/gpt-4o. If empty: as the pipeline has it."
          control={(attributes) => <input {...attributes} autocomplete="off" />}
        />
      </SchemaForm>
    </Dialog>
  );
}
