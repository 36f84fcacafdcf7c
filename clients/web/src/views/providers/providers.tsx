/** Providers: the circuit and speed of each recently called model and, for admins, the state of the keys. */
import { useCallback } from 'preact/hooks';
import type { CircuitState, ProvidersView } from '../../../../../contracts/routing.ts';
import { formatCount, formatDuration, formatTime } from '../../format.ts';
import { getJson } from '../../session.ts';
import { usePolled } from '../../use-polled.ts';
import { Badge, Failure, type Tone } from '../parts.tsx';

type Provider = ProvidersView['providers'][number];
type Model = Provider['models'][number];
type Key = NonNullable<Provider['keys']>[number];

const CIRCUIT_TONES: Readonly<Record<CircuitState, Tone>> = {
  closed: 'good',
  'half-open': 'late',
  open: 'bad',
};
const KEY_TONES: Readonly<Record<Key['state'], Tone>> = { ready: 'good', resting: 'late', refused: 'bad' };
const OPENED_BY = { errors: 'too many errors', slow: 'too slow' } as const;

export function Providers() {
  const load = useCallback(() => getJson<ProvidersView>('/v1/providers'), []);
  const { data, error } = usePolled(load);
  const active = data?.providers.filter(hasNews) ?? [];
  const idle = data?.providers.filter((provider) => !hasNews(provider)) ?? [];
  return (
    <div class="stack">
      <h1>Providers</h1>
      {error !== null && <Failure error={error} />}
      {active.map((provider) => (
        <ProviderCard key={provider.provider} provider={provider} />
      ))}
      {idle.length > 0 && (
        <section class="card" aria-labelledby="idle-title">
          <h2 id="idle-title">Not called recently</h2>
          <ul class="names">
            {idle.map(({ provider, wire }) => (
              <li key={provider}>
                {provider} <code class="muted">{wire}</code>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

/** Whether there is more to show than that the provider is available. */
function hasNews({ models, available, keys = [] }: Provider): boolean {
  return models.length > 0 || !available || keys.some(({ state }) => state !== 'ready');
}

function ProviderCard({ provider }: { provider: Provider }) {
  const titleId = `provider-${provider.provider}`;
  return (
    <section class="card" aria-labelledby={titleId}>
      <header class="row">
        <h2 id={titleId}>{provider.provider}</h2>
        <code class="muted">{provider.wire}</code>
        <Badge tone={provider.available ? 'good' : 'bad'}>
          {provider.available ? 'available' : 'no usable key'}
        </Badge>
      </header>
      {provider.models.length > 0 && (
        <table class="list">
          <caption class="visually-hidden">Models of {provider.provider}</caption>
          <thead>
            <tr>
              <th scope="col">Model</th>
              <th scope="col">Circuit</th>
              <th scope="col" class="number">
                Calls, failed
              </th>
              <th scope="col" class="number">
                First token
              </th>
              <th scope="col" class="number">
                Tokens per second
              </th>
            </tr>
          </thead>
          <tbody>
            {provider.models.map((model) => (
              <ModelRow key={model.model} model={model} />
            ))}
          </tbody>
        </table>
      )}
      {provider.keys !== undefined && provider.keys.length > 0 && (
        <Keys keys={provider.keys} provider={provider.provider} />
      )}
    </section>
  );
}

function ModelRow({ model }: { model: Model }) {
  const { because, retryAtMs, firstTokenMs, tokensPerSecond } = model;
  return (
    <tr>
      <th scope="row">{model.model}</th>
      <td data-name="Circuit">
        <Badge tone={CIRCUIT_TONES[model.circuit]}>{model.circuit}</Badge>
        {because !== null && <span class="muted"> {OPENED_BY[because]}</span>}
        {retryAtMs !== null && <span class="muted">; next probe at {formatTime(retryAtMs)}</span>}
      </td>
      <td data-name="Calls, failed" class="number">
        {formatCount(model.calls)}, {formatCount(model.badCalls)}
      </td>
      <td data-name="First token" class="number">
        {firstTokenMs === null ? '–' : formatDuration(firstTokenMs)}
      </td>
      <td data-name="Tokens per second" class="number">
        {tokensPerSecond === null ? '–' : formatCount(Math.round(tokensPerSecond))}
      </td>
    </tr>
  );
}

function Keys({ keys, provider }: { keys: readonly Key[]; provider: string }) {
  return (
    <table class="list">
      <caption class="visually-hidden">Keys of {provider}</caption>
      <thead>
        <tr>
          <th scope="col">Key</th>
          <th scope="col">State</th>
          <th scope="col" class="number">
            Requests
          </th>
          <th scope="col" class="number">
            Tokens
          </th>
        </tr>
      </thead>
      <tbody>
        {keys.map((key) => (
          <tr key={key.id}>
            <th scope="row">
              <code>{key.id}</code>
            </th>
            <td data-name="State">
              <Badge tone={KEY_TONES[key.state]}>{key.state}</Badge>
              {key.refusedBy !== null && <span class="muted"> with status {key.refusedBy}</span>}
              {key.untilMs !== null && <span class="muted"> until {formatTime(key.untilMs)}</span>}
            </td>
            <td data-name="Requests" class="number">
              {usedOf(key.usedRequests, key.limitRequests)}
            </td>
            <td data-name="Tokens" class="number">
              {usedOf(key.usedTokens, key.limitTokens)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function usedOf(used: number, limit: number | null): string {
  return limit === null ? formatCount(used) : `${formatCount(used)} of ${formatCount(limit)}`;
}
