/** The views of the page, in the order of the navigation. Each is loaded when it is first shown. */
import type { ComponentType } from 'preact';
import type { View } from './router.ts';

interface ViewEntry {
  readonly title: string;
  /** Its icon: the path of an SVG of 24 by 24, drawn as lines. */
  readonly icon: string;
  readonly load: () => Promise<ComponentType>;
}

export const VIEWS: Readonly<Record<View, ViewEntry>> = {
  chat: {
    title: 'Chat',
    icon: 'M4 5h16v11H9l-5 4z',
    load: async () => (await import('./views/chat/chat.tsx')).Chat,
  },
  runs: {
    title: 'Runs',
    icon: 'M4 6h7M8 12h9M13 18h7',
    load: async () => (await import('./views/run/runs-or-run.tsx')).RunsOrRun,
  },
  jobs: {
    title: 'Jobs',
    icon: 'M4 5h5v5H4zM15 3h5v5h-5zM15 16h5v5h-5zM9 7.5h3V5.5h3M12 7.5v11h3',
    load: async () => (await import('./views/jobs/jobs-or-job.tsx')).JobsOrJob,
  },
  batches: {
    title: 'Batches',
    icon: 'M4 8l8-4 8 4-8 4zM4 12l8 4 8-4M4 16l8 4 8-4',
    load: async () => (await import('./views/batches/batches-or-batch.tsx')).BatchesOrBatch,
  },
  schedules: {
    title: 'Schedules',
    icon: 'M12 4a8 8 0 1 0 0 16a8 8 0 1 0 0-16M12 8v4l3 2',
    load: async () => (await import('./views/schedules/schedules.tsx')).Schedules,
  },
  usage: {
    title: 'Usage',
    icon: 'M4 20h16M7 20v-7M12 20V5M17 20v-10',
    load: async () => (await import('./views/usage/usage.tsx')).Usage,
  },
  prompts: {
    title: 'Prompts',
    icon: 'M6 3h9l4 4v14H6zM9 12h7M9 16h7',
    load: async () => (await import('./views/prompts/prompts.tsx')).Prompts,
  },
  cache: {
    title: 'Cache',
    icon: 'M4 6c0-4 16-4 16 0v12c0 4-16 4-16 0zM4 6c0 4 16 4 16 0M4 12c0 4 16 4 16 0',
    load: async () => (await import('./views/cache/cache.tsx')).Cache,
  },
  keys: {
    title: 'Keys',
    icon: 'M12 9a4 4 0 1 0 0 6l3-3h6v4M18 12v3',
    load: async () => (await import('./views/keys/keys.tsx')).Keys,
  },
  budgets: {
    title: 'Budgets',
    icon: 'M4 7h16v12H4zM4 11h16M15 15h2',
    load: async () => (await import('./views/budgets/budgets.tsx')).Budgets,
  },
  providers: {
    title: 'Providers',
    icon: 'M5 5h14v5H5zM5 14h14v5H5zM8 7.5h.01M8 16.5h.01',
    load: async () => (await import('./views/providers/providers.tsx')).Providers,
  },
};
