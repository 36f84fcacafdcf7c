/** An adapter of any wire, as the composition root makes it, with limits that suit tests. */

import { providerKeysOf } from '../../config/gate-schema.ts';
import { loadConfig } from '../../config/load-config.ts';
import type { ProviderConfig } from '../../config/schema.ts';
import { createProviders } from '../../providers/create-providers.ts';
import type { Provider } from '../../providers/provider.ts';

export const KEY = 'sk-secret-0123456789abcdef';

export function adapterFor(
  name: string,
  config: ProviderConfig,
  limits: { firstTokenMs?: number; betweenTokensMs?: number; thinkingMs?: number; connectMs?: number } = {},
): Provider {
  const base = loadConfig({});
  const provider = createProviders({
    ...base,
    providers: { [name]: { apiKeyEnv: 'KEY', ...config } },
    providerKeys: { [name]: providerKeysOf({ apiKeyEnv: 'KEY' }, { KEY }) },
    limits: {
      ...base.limits,
      connectMs: 1_000,
      firstTokenMs: 400,
      betweenTokensMs: 900,
      thinkingMs: 400,
      ...limits,
    },
  }).get(name);
  if (provider === undefined) throw new Error(`no adapter ${name}`);
  return provider;
}
