/**
 * A form that is checked by the same schema as the request at the API, so that a mistake shows at its field before
 * anything is sent. What only the API can know is shown as the API's error.
 */
import { type ComponentChildren, createContext } from 'preact';
import { useContext, useId, useRef, useState } from 'preact/hooks';
import type { z } from 'zod';
import { Failure } from '../views/parts.tsx';

/** What is wrong with each field, by the path of its value in the body, such as `arms.0.weight`. */
type Faults = Readonly<Record<string, string>>;
const FieldFaults = createContext<Faults>({});

interface SchemaFormProperties<Schema extends z.ZodType> {
  readonly schema: Schema;
  /** The body of the request, from the fields. An empty field is absent or null, as the schema has it. */
  readonly read: (fields: FormData) => unknown;
  readonly send: (body: z.output<Schema>) => Promise<void>;
  /** The button: a verb with its object. */
  readonly action: string;
  readonly onCancel?: () => void;
  readonly children: ComponentChildren;
}

export function SchemaForm<Schema extends z.ZodType>(properties: SchemaFormProperties<Schema>) {
  const { schema, read, send, action, onCancel, children } = properties;
  const form = useRef<HTMLFormElement>(null);
  const [faults, setFaults] = useState<Faults>({});
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setBusy] = useState(false);
  const check = (target: HTMLFormElement) => {
    const parsed = schema.safeParse(read(new FormData(target)));
    return { parsed, faults: parsed.success ? {} : faultsOf(parsed.error) };
  };
  const checkField = (field: EventTarget | null) => {
    if (form.current === null || !isField(field) || field.name === '') return;
    const fault = check(form.current).faults[field.name];
    setFaults((before) => withFault(before, field.name, fault));
  };
  /** A button must not move away under a click, as it would if leaving a field showed a fault. */
  const checkLeft = ({ target, relatedTarget }: FocusEvent) => {
    if (!(relatedTarget instanceof HTMLButtonElement)) checkField(target);
  };
  /** A fault disappears as soon as it is mended; a new one waits until the user leaves the field. */
  const checkMended = ({ target }: InputEvent) => {
    if (isField(target) && target.name in faults) checkField(target);
  };
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (form.current === null || isBusy) return;
    const { parsed, faults: found } = check(form.current);
    setFaults(found);
    setError(null);
    if (!parsed.success) return focusFirst(form.current, found);
    setBusy(true);
    try {
      await send(parsed.data);
    } catch (cause) {
      setError(cause instanceof Error ? cause : new Error(String(cause)));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form ref={form} class="form" noValidate onSubmit={submit} onFocusOut={checkLeft} onInput={checkMended}>
      <FieldFaults.Provider value={faults}>{children}</FieldFaults.Provider>
      <OtherFaults faults={faults} form={form.current} />
      {error !== null && <Failure error={error} />}
      <div class="row actions">
        <button type="submit" class="main" disabled={isBusy}>
          {action}
        </button>
        {onCancel !== undefined && (
          <button type="button" onClick={onCancel}>
            Cancel
          </button>
        )}
      </div>
    </form>
  );
}

interface FieldProperties {
  readonly label: string;
  /** The path of its value in the body. */
  readonly name: string;
  readonly hint?: string;
  /** Shown in place of the schema's message, where the field has another unit than the body. */
  readonly wrong?: string;
  readonly isOptional?: boolean;
  /** The control, with the attributes that tie it to its label, its hint and its fault. */
  readonly control: (attributes: ControlAttributes) => ComponentChildren;
}

interface ControlAttributes {
  readonly id: string;
  readonly name: string;
  readonly 'aria-invalid': boolean;
  readonly 'aria-describedby': string;
}

export function Field({ label, name, hint, wrong, isOptional = false, control }: FieldProperties) {
  const id = useId();
  const fault = useContext(FieldFaults)[name];
  const describedBy = `${id}-hint ${id}-fault`;
  return (
    <div class="field">
      <label for={id}>
        {label}
        {isOptional && <span class="optional"> (optional)</span>}
      </label>
      {control({ id, name, 'aria-invalid': fault !== undefined, 'aria-describedby': describedBy })}
      <p class="hint" id={`${id}-hint`} hidden={hint === undefined}>
        {hint}
      </p>
      <p class="fault" id={`${id}-fault`} hidden={fault === undefined}>
        {fault === undefined ? '' : (wrong ?? fault)}
      </p>
    </div>
  );
}

/** What is wrong with several controls of the same name, such as checkboxes. */
export function FieldFault({ name }: { name: string }) {
  const fault = useContext(FieldFaults)[name];
  return <p class="fault">{fault}</p>;
}

/** Faults of values that have no field. */
function OtherFaults({ faults, form }: { faults: Faults; form: HTMLFormElement | null }) {
  const others = Object.entries(faults).filter(([name]) => form?.elements.namedItem(name) == null);
  if (others.length === 0) return null;
  return (
    <p class="fault" role="alert">
      {others.map(([, fault]) => fault).join(' ')}
    </p>
  );
}

/** The text of a field without surrounding spaces; undefined if there is none. */
export function textOf(fields: FormData, name: string): string | undefined {
  const text = String(fields.get(name) ?? '').trim();
  return text === '' ? undefined : text;
}

/** The number in a field. NaN, which no schema accepts, if it is none; undefined if the field is empty. */
export function numberOf(fields: FormData, name: string): number | undefined {
  const text = textOf(fields, name);
  return text === undefined ? undefined : Number(text);
}

function faultsOf(error: z.ZodError): Faults {
  const faults: Record<string, string> = {};
  for (const { path, message } of error.issues) faults[path.join('.')] ??= sentenceOf(message);
  return faults;
}

/** "Invalid input: expected number, received NaN" becomes "Expected a number". */
function sentenceOf(message: string): string {
  const text = message.replace(/^Invalid input: /, '').replace(/, received .*$/, '');
  const plain = text.replace(
    /^expected (number|int|string)$/,
    (_, kind: string) => `expected ${NOUNS[kind]}`,
  );
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

const NOUNS: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'a text',
};

function withFault(faults: Faults, name: string, fault: string | undefined): Faults {
  const { [name]: _, ...others } = faults;
  return fault === undefined ? others : { ...others, [name]: fault };
}

function isField(target: EventTarget | null): target is HTMLInputElement {
  return (
    target instanceof HTMLInputElement ||
    target instanceof HTMLSelectElement ||
    target instanceof HTMLTextAreaElement
  );
}

function focusFirst(form: HTMLFormElement, faults: Faults): void {
  const first = [...form.elements].find((element) => isField(element) && element.name in faults);
  if (first instanceof HTMLElement) first.focus();
}
