/** Prompts: their versions with what each costs, their labels, and the differences between two versions. */
import { useCallback, useState } from 'preact/hooks';
import { z } from 'zod';
import { type PromptView, promptNameSchema } from '../../../../../contracts/prompts.ts';
import { Dialog } from '../../forms/dialog.tsx';
import { Field, SchemaForm, textOf } from '../../forms/schema-form.tsx';
import { goTo, linkTo, place } from '../../router.ts';
import { canAdminister, getJson } from '../../session.ts';
import { usePolled } from '../../use-polled.ts';
import { Empty, Failure, Loading } from '../parts.tsx';
import { PromptEditor } from './prompt-editor.tsx';
import { PromptPanel } from './prompt-panel.tsx';

/** `GET /v1/prompts`. */
interface PromptList {
  readonly data: readonly PromptView[];
}

const newPromptSchema = z.object({ name: promptNameSchema });

export function Prompts() {
  const load = useCallback(() => getJson<PromptList>('/v1/prompts'), []);
  const { data, error, reload } = usePolled(load);
  const [isNaming, setNaming] = useState(false);
  const name = place.value.id ?? data?.data[0]?.name ?? null;
  const prompt = data?.data.find((each) => each.name === name) ?? null;
  const begin = async (body: { name: string }) => {
    setNaming(false);
    goTo('prompts', body.name);
  };
  return (
    <div class="stack">
      <header class="row">
        <h1>Prompts</h1>
        {canAdminister.value && (
          <button type="button" class="main end" onClick={() => setNaming(true)}>
            New prompt
          </button>
        )}
      </header>
      {error !== null && <Failure error={error} />}
      {data === null && error === null && <Loading what="prompts" />}
      {data !== null && data.data.length === 0 && name === null && <NoPrompts />}
      {data !== null && data.data.length > 0 && <PromptChoices prompts={data.data} name={name} />}
      {prompt !== null && <PromptPanel key={prompt.name} prompt={prompt} onChange={reload} />}
      {data !== null && prompt === null && name !== null && (
        <NotYet key={name} name={name} onAdded={reload} />
      )}
      {isNaming && (
        <Dialog title="New prompt" onClose={() => setNaming(false)}>
          <SchemaForm
            schema={newPromptSchema}
            read={(fields) => ({ name: textOf(fields, 'name') ?? '' })}
            send={begin}
            action="Write its first version"
            onCancel={() => setNaming(false)}
          >
            <Field
              label="Prompt name"
              name="name"
              hint="Requests name it, such as support or search.rank. It cannot be changed later."
              control={(attributes) => <input {...attributes} autocomplete="off" />}
            />
          </SchemaForm>
        </Dialog>
      )}
    </div>
  );
}

function PromptChoices({ prompts, name }: { prompts: readonly PromptView[]; name: string | null }) {
  return (
    <nav class="choices" aria-label="Prompts">
      {prompts.map((each) => (
        <a
          key={each.name}
          href={linkTo('prompts', each.name)}
          aria-current={each.name === name ? 'page' : undefined}
        >
          {each.name} <span class="muted">{each.latest}</span>
        </a>
      ))}
    </nav>
  );
}

function NoPrompts() {
  return (
    <section class="card">
      <Empty title="No prompts yet">
        A prompt is a system text or messages with a name and versions. Requests name it, and this page then
        shows what each version costs.
      </Empty>
    </section>
  );
}

/** A prompt exists from its first version on. */
function NotYet({ name, onAdded }: { name: string; onAdded: () => void }) {
  if (!canAdminister.value || !promptNameSchema.safeParse(name).success) {
    return <p class="card muted">There is no prompt {name}.</p>;
  }
  return (
    <section class="card" aria-labelledby="editor-title">
      <h2 id="editor-title">First version of {name}</h2>
      <PromptEditor name={name} base={null} onAdded={onAdded} onCancel={() => goTo('prompts')} />
    </section>
  );
}
