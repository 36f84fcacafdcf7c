/** The views of the page, in the order of the navigation. Each is loaded when it is first shown. */
import type { ComponentType } from 'preact';
import type { View } from './router.ts';

interface ViewEntry {
  readonly title: string;
  readonly load: () => Promise<ComponentType>;
}

export const VIEWS: Readonly<Record<View, ViewEntry>> = {
  generate: {
    title: 'Generate',
    load: async () => (await import('./views/generate/workbench.tsx')).Workbench,
  },
  runs: { title: 'Runs', load: async () => (await import('./views/runs/runs.tsx')).Runs },
  usage: { title: 'Usage', load: async () => (await import('./views/usage/usage.tsx')).Usage },
  prompts: { title: 'Prompts', load: async () => (await import('./views/prompts/prompts.tsx')).Prompts },
  cache: { title: 'Cache', load: async () => (await import('./views/cache/cache.tsx')).Cache },
  keys: { title: 'Keys', load: async () => (await import('./views/keys/keys.tsx')).Keys },
  budgets: { title: 'Budgets', load: async () => (await import('./views/budgets/budgets.tsx')).Budgets },
  providers: {
    title: 'Providers',
    load: async () => (await import('./views/providers/providers.tsx')).Providers,
  },
};
