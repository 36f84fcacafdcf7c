/** Writes the next version of a prompt. Its variables are found in its texts. */
import { useState } from 'preact/hooks';
import { parseTemplate, TemplateError, variablesOf } from '../../../../../contracts/prompt-template.ts';
import {
  type PromptContent,
  type PromptVersionView,
  promptContentSchema,
} from '../../../../../contracts/prompts.ts';
import { Field, numberOf, SchemaForm, textOf } from '../../forms/schema-form.tsx';
import { sendJson } from '../../session.ts';

/** The same check of the placeholders as at the API, with the fault at its field. */
const editorSchema = promptContentSchema.superRefine(({ system, messages = [] }, context) => {
  const templates = [
    { path: ['system'], source: system ?? '' },
    ...messages.map(({ content }, index) => ({ path: ['messages', index, 'content'], source: content })),
  ];
  for (const { path, source } of templates) {
    const fault = faultIn(source);
    if (fault !== null) context.addIssue({ code: 'custom', path, message: fault });
  }
});

const DEFAULT_MAX_CHARS = 20_000;

interface Turn {
  /** Keeps the field of a turn when one before it is removed. */
  readonly id: number;
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

interface PromptEditorProperties {
  readonly name: string;
  /** The version to start from; null: an empty one. */
  readonly base: PromptVersionView | null;
  readonly onAdded: (version: PromptVersionView) => void;
  readonly onCancel: () => void;
}

export function PromptEditor({ name, base, onAdded, onCancel }: PromptEditorProperties) {
  const content = base?.content;
  const [system, setSystem] = useState(content?.system ?? '');
  const [turns, setTurns] = useState<readonly Turn[]>(() =>
    (content?.messages ?? []).map((message, id) => ({ ...message, id })),
  );
  const variables = variablesIn([system, ...turns.map((turn) => turn.content)]);
  const change = (index: number, next: Partial<Turn>) =>
    setTurns(turns.map((turn, each) => (each === index ? { ...turn, ...next } : turn)));
  const addTurn = () => {
    const id = 1 + Math.max(-1, ...turns.map((turn) => turn.id));
    setTurns([...turns, { id, role: turns.at(-1)?.role === 'user' ? 'assistant' : 'user', content: '' }]);
  };
  const send = async (body: PromptContent) =>
    onAdded(
      await sendJson<PromptVersionView>('POST', `/v1/prompts/${encodeURIComponent(name)}/versions`, body),
    );
  return (
    <SchemaForm
      schema={editorSchema}
      read={(fields) => bodyOf(fields, { system, turns, variables })}
      send={send}
      action="Add the version"
      onCancel={onCancel}
    >
      <Field
        label="System text"
        name="system"
        isOptional={turns.length > 0}
        hint="{{name}} is a variable; write \{{ where braces are meant."
        control={(attributes) => (
          <textarea
            {...attributes}
            rows={6}
            value={system}
            onInput={(event) => setSystem(event.currentTarget.value)}
          />
        )}
      />
      {turns.map((turn, index) => (
        <TurnFields
          key={turn.id}
          turn={turn}
          index={index}
          onChange={(next) => change(index, next)}
          onRemove={() => setTurns(turns.filter((each) => each !== turn))}
        />
      ))}
      <p>
        <button type="button" class="small" onClick={addTurn}>
          Add a message
        </button>{' '}
        <span class="hint">Messages precede the input of the request.</span>
      </p>
      {variables.length > 0 && <VariableFields names={variables} of={content?.variables ?? {}} />}
      <SettingFields content={content} />
      <Field
        label="Note"
        name="note"
        isOptional
        hint="Why this version was made."
        control={(attributes) => <input {...attributes} maxLength={1_000} autocomplete="off" />}
      />
    </SchemaForm>
  );
}

interface TurnFieldsProperties {
  readonly turn: Turn;
  readonly index: number;
  readonly onChange: (next: Partial<Turn>) => void;
  readonly onRemove: () => void;
}

function TurnFields({ turn, index, onChange, onRemove }: TurnFieldsProperties) {
  const title = `Message ${index + 1}`;
  return (
    <fieldset>
      <legend>{title}</legend>
      <div class="row">
        <select
          aria-label={`Role of message ${index + 1}`}
          value={turn.role}
          onChange={(event) =>
            onChange({ role: event.currentTarget.value === 'assistant' ? 'assistant' : 'user' })
          }
        >
          <option>user</option>
          <option>assistant</option>
        </select>
        <button type="button" class="small end" onClick={onRemove}>
          Remove<span class="visually-hidden"> message {index + 1}</span>
        </button>
      </div>
      <Field
        label={`Text of message ${index + 1}`}
        name={`messages.${index}.content`}
        control={(attributes) => (
          <textarea
            {...attributes}
            rows={4}
            value={turn.content}
            onInput={(event) => onChange({ content: event.currentTarget.value })}
          />
        )}
      />
    </fieldset>
  );
}

function VariableFields({ names, of }: { names: readonly string[]; of: PromptContent['variables'] }) {
  return (
    <fieldset>
      <legend>Variables</legend>
      {names.map((name) => (
        <div class="triple" key={name}>
          <Field
            label={`Default of ${name}`}
            name={`variables.${name}.default`}
            isOptional
            hint="If empty, a request must give it."
            control={(attributes) => (
              <input {...attributes} defaultValue={of[name]?.default ?? ''} autocomplete="off" />
            )}
          />
          <Field
            label={`Longest ${name}, in characters`}
            name={`variables.${name}.maxChars`}
            control={(attributes) => (
              <input
                {...attributes}
                type="number"
                min={1}
                defaultValue={String(of[name]?.maxChars ?? DEFAULT_MAX_CHARS)}
              />
            )}
          />
          <Field
            label={`What ${name} is`}
            name={`variables.${name}.description`}
            isOptional
            control={(attributes) => (
              <input {...attributes} defaultValue={of[name]?.description ?? ''} autocomplete="off" />
            )}
          />
        </div>
      ))}
    </fieldset>
  );
}

function SettingFields({ content }: { content: PromptContent | undefined }) {
  const { compression = 'off' } = content ?? {};
  const kind = compression === 'off' ? 'off' : 'keep' in compression ? 'keep' : 'target';
  const [chosen, setChosen] = useState<'off' | 'keep' | 'target'>(kind);
  return (
    <div class="triple">
      <Field
        label="Max. output tokens"
        name="maxOutputTokens"
        isOptional
        control={(attributes) => (
          <input {...attributes} type="number" min={1} defaultValue={content?.maxOutputTokens ?? ''} />
        )}
      />
      <Field
        label="Compression of long contexts"
        name="compression"
        control={(attributes) => (
          <select
            {...attributes}
            value={chosen}
            onChange={(event) => setChosen(event.currentTarget.value as typeof chosen)}
          >
            <option value="off">off</option>
            <option value="keep">keep a share</option>
            <option value="target">to a number of tokens</option>
          </select>
        )}
      />
      {chosen === 'keep' && (
        <Field
          label="Share to keep, in %"
          name="compression.keep"
          wrong="Expected 5 to 95."
          control={(attributes) => (
            <input
              {...attributes}
              type="number"
              min={5}
              max={95}
              defaultValue={String(kind === 'keep' && compression !== 'off' ? shareOf(compression) : 50)}
            />
          )}
        />
      )}
      {chosen === 'target' && (
        <Field
          label="Tokens of the context"
          name="compression.targetTokens"
          wrong="Expected a whole number, at least 64."
          control={(attributes) => (
            <input
              {...attributes}
              type="number"
              min={64}
              defaultValue={String(
                compression !== 'off' && 'targetTokens' in compression ? compression.targetTokens : 2_000,
              )}
            />
          )}
        />
      )}
    </div>
  );
}

interface EditorState {
  readonly system: string;
  readonly turns: readonly Turn[];
  readonly variables: readonly string[];
}

function bodyOf(fields: FormData, { system, turns, variables }: EditorState): unknown {
  return {
    system: system === '' ? undefined : system,
    messages: turns.length === 0 ? undefined : turns.map(({ role, content }) => ({ role, content })),
    variables: Object.fromEntries(
      variables.map((name) => [
        name,
        {
          default: textOf(fields, `variables.${name}.default`),
          maxChars: numberOf(fields, `variables.${name}.maxChars`),
          description: textOf(fields, `variables.${name}.description`),
        },
      ]),
    ),
    maxOutputTokens: numberOf(fields, 'maxOutputTokens'),
    compression: compressionIn(fields),
    note: textOf(fields, 'note'),
  };
}

function compressionIn(fields: FormData): unknown {
  switch (fields.get('compression')) {
    case 'keep':
      return { keep: (numberOf(fields, 'compression.keep') ?? Number.NaN) / 100 };
    case 'target':
      return { targetTokens: numberOf(fields, 'compression.targetTokens') ?? Number.NaN };
    default:
      return undefined;
  }
}

function shareOf(compression: { keep?: number } | object): number {
  return 'keep' in compression ? Math.round(Number(compression.keep) * 100) : 50;
}

/** While a placeholder is being typed its text has a fault, and its variables are not known. */
function variablesIn(sources: readonly string[]): string[] {
  const names = sources.flatMap((source) =>
    faultIn(source) === null ? variablesOf(parseTemplate(source)) : [],
  );
  return [...new Set(names)];
}

function faultIn(source: string): string | null {
  try {
    parseTemplate(source);
    return null;
  } catch (error) {
    if (error instanceof TemplateError) return error.message;
    throw error;
  }
}
