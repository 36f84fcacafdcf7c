import { useRef, useState } from 'preact/hooks';
import { candidateName } from '../../../../../contracts/candidate.ts';
import type { GenerationRequest } from '../../../../typescript/index.ts';
import { goTo } from '../../router.ts';
import { clientWith, session } from '../../session.ts';
import { Failure } from '../parts.tsx';

const DEFAULT_ROUTE = 'route:default';

export function Composer() {
  const [fault, setFault] = useState<Error | null>(null);
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (form.current === null || isBusy) return;
    setBusy(true);
    setFault(null);
    try {
      const { id } = await clientWith().submit(requestOf(new FormData(form.current)));
      goTo('generate', id);
    } catch (error) {
      setFault(error instanceof Error ? error : new Error(String(error)));
    } finally {
      setBusy(false);
    }
  };
  const submitOnShortcut = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.current?.requestSubmit();
  };
  return (
    <form ref={form} class="card composer" onSubmit={submit} aria-labelledby="composer-title">
      <h1 id="composer-title">Generate</h1>
      <div class="field">
        <label for="prompt">Prompt</label>
        <textarea
          id="prompt"
          name="input"
          rows={7}
          required
          placeholder="Why is the sky blue?"
          onKeyDown={submitOnShortcut}
        />
      </div>
      <div class="field">
        <label for="target">Route or model</label>
        <TargetSelect />
      </div>
      <div class="field">
        <label for="max">Max. output tokens</label>
        <input
          id="max"
          name="max"
          type="number"
          inputMode="numeric"
          min={1}
          max={1_000_000}
          placeholder="4096"
        />
      </div>
      <label class="check">
        <input type="checkbox" name="cache" />
        Allow a cached answer
      </label>
      {fault !== null && <Failure error={fault} />}
      <button type="submit" class="main" disabled={isBusy} aria-keyshortcuts="Control+Enter">
        {isBusy ? 'Sending' : 'Generate'}
      </button>
    </form>
  );
}

function TargetSelect() {
  const routes = session.value?.routes ?? [];
  const models = routes.flatMap(({ candidates }) => candidates.map(candidateName));
  return (
    <select id="target" name="target">
      <optgroup label="Routes">
        {routes.length === 0 && <option value={DEFAULT_ROUTE}>default</option>}
        {routes.map(({ name, candidates }) => (
          <option key={name} value={`route:${name}`}>
            {name} ({candidates.length === 1 ? '1 model' : `${candidates.length} models`})
          </option>
        ))}
      </optgroup>
      <optgroup label="One model">
        {[...new Set(models)].map((model) => (
          <option key={model} value={`model:${model}`}>
            {model}
          </option>
        ))}
      </optgroup>
    </select>
  );
}

function requestOf(data: FormData): Omit<GenerationRequest, 'stream'> {
  const target = String(data.get('target') ?? DEFAULT_ROUTE);
  const name = target.slice(target.indexOf(':') + 1);
  const max = String(data.get('max') ?? '');
  return {
    input: String(data.get('input') ?? ''),
    cache: data.get('cache') === null ? 'off' : 'on',
    ...(target.startsWith('model:') ? { model: name } : { route: name }),
    ...(max === '' ? {} : { maxOutputTokens: Number(max) }),
  };
}
