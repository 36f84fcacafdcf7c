/** What a conversation is sent with: the route or model, and the rarer options. */
import { candidateName } from '../../../../../contracts/candidate.ts';
import { session } from '../../session.ts';
import { DEFAULT_SETTINGS, type Settings } from './conversations.ts';

interface SettingsProps {
  readonly settings: Settings;
  readonly onSettings: (settings: Settings) => void;
}

const EXAMPLE_TOOLS = [
  {
    name: 'get_weather',
    description: 'The weather at a place, now.',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, unit: { enum: ['celsius', 'fahrenheit'] } },
      required: ['city'],
    },
  },
];

export function TargetSelect({ settings, onSettings }: SettingsProps) {
  const routes = session.value?.routes ?? [];
  const models = new Set(routes.flatMap(({ candidates }) => candidates.map(candidateName)));
  return (
    <div class="target">
      <label for="target" class="visually-hidden">
        Route or model
      </label>
      <select
        id="target"
        value={settings.target}
        onChange={(event) => onSettings({ ...settings, target: event.currentTarget.value })}
      >
        <optgroup label="Routes">
          {routes.length === 0 && <option value={DEFAULT_SETTINGS.target}>default</option>}
          {routes.map(({ name, candidates }) => (
            <option key={name} value={`route:${name}`}>
              Route {name} ({candidates.length === 1 ? '1 model' : `${candidates.length} models`})
            </option>
          ))}
        </optgroup>
        <optgroup label="One model">
          {[...models].map((model) => (
            <option key={model} value={`model:${model}`}>
              {model}
            </option>
          ))}
        </optgroup>
      </select>
    </div>
  );
}

export function SettingsForm({ settings, onSettings }: SettingsProps) {
  const change = (changed: Partial<Settings>) => onSettings({ ...settings, ...changed });
  return (
    <details class="settings">
      <summary>Options{changedCount(settings)}</summary>
      <div class="grid">
        <div class="field wide">
          <label for="system">System prompt</label>
          <textarea
            id="system"
            rows={2}
            value={settings.system}
            onInput={(event) => change({ system: event.currentTarget.value })}
          />
        </div>
        <div class="field">
          <label for="max">Max. output tokens</label>
          <input
            id="max"
            type="number"
            inputMode="numeric"
            min={1}
            max={1_000_000}
            placeholder="4096"
            value={settings.maxOutputTokens ?? ''}
            onInput={({ currentTarget: { valueAsNumber: tokens } }) =>
              change({ maxOutputTokens: Number.isNaN(tokens) ? null : tokens })
            }
          />
        </div>
        <ReasoningSelect settings={settings} onSettings={onSettings} />
        <ToolsField settings={settings} onSettings={onSettings} />
        <label class="check wide">
          <input
            type="checkbox"
            checked={settings.cache}
            onChange={(event) => change({ cache: event.currentTarget.checked })}
          />
          Allow a cached answer
        </label>
      </div>
    </details>
  );
}

function ReasoningSelect({ settings, onSettings }: SettingsProps) {
  return (
    <div class="field">
      <label for="reasoning">Reasoning</label>
      <select
        id="reasoning"
        value={settings.reasoning}
        onChange={({ currentTarget: { value } }) => {
          const effort = (['off', 'low', 'medium', 'high'] as const).find((name) => name === value);
          onSettings({ ...settings, reasoning: effort ?? 'off' });
        }}
      >
        <option value="off">as the model does</option>
        <option value="low">low</option>
        <option value="medium">medium</option>
        <option value="high">high</option>
      </select>
    </div>
  );
}

function ToolsField({ settings, onSettings }: SettingsProps) {
  return (
    <div class="field wide">
      <label for="tools">Tools, as a JSON list</label>
      <textarea
        id="tools"
        class="code"
        rows={4}
        spellcheck={false}
        value={settings.tools}
        onInput={(event) => onSettings({ ...settings, tools: event.currentTarget.value })}
      />
      <p>
        <button
          type="button"
          class="small"
          onClick={() => onSettings({ ...settings, tools: JSON.stringify(EXAMPLE_TOOLS, null, 2) })}
        >
          Insert an example
        </button>
      </p>
    </div>
  );
}

function changedCount(settings: Settings): string {
  const names = ['system', 'maxOutputTokens', 'reasoning', 'cache', 'tools'] as const;
  const changed = names.filter((name) => settings[name] !== DEFAULT_SETTINGS[name]).length;
  return changed === 0 ? '' : ` (${changed} set)`;
}
