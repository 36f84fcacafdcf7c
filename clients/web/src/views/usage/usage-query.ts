/** What the usage view shows: kept while the tab is open, so that it is there again after a look at another view. */
import { computed, signal } from '@preact/signals';
import { dayOf } from '../../../../../contracts/time.ts';
import { session } from '../../session.ts';
import type { Dimension, Grouping } from './groupings.ts';
import { canShowHours, type Period, PRESETS } from './period.ts';

/** Groups with a colour in the charts; the others are summed. */
const GROUPS_IN_CHARTS = 7;
/** The most that one answer of the API holds. */
const MOST_GROUPS = 200;

export const period = signal<Period>(PRESETS.month.of(dayOf(Date.now())));
export const grouping = signal<Grouping>('model');
export const filters = signal<Partial<Readonly<Record<Dimension, string>>>>({});

/** Whether the caller sees all users of the tenant, and with them the latencies and failures. */
export const seesAll = computed(() =>
  ['admin', 'operator', 'any-user'].some((scope) => session.value?.scopes.includes(scope)),
);

/** The API keeps hours for the tenant, its teams, models and prompts. */
const each = computed<'day' | 'hour'>(() => {
  const isKept = (dimension: string) => dimension !== 'user' && dimension !== 'key';
  const isHourly =
    seesAll.value &&
    canShowHours(period.value, dayOf(Date.now())) &&
    [grouping.value, ...Object.keys(filters.value)].every(isKept);
  return isHourly ? 'hour' : 'day';
});

export const usagePath = computed(() => pathWith({ limit: String(GROUPS_IN_CHARTS) }));
export const latenciesPath = computed(() => {
  const { model } = filters.value;
  const query = { ...period.value, each: each.value, ...(model === undefined ? {} : { model }) };
  return `/v1/usage/latencies?${new URLSearchParams(query)}`;
});
export const failuresPath = computed(
  () => `/v1/usage/failures?${new URLSearchParams({ ...period.value, each: each.value })}`,
);

/** A page of all groups. */
export function groupsPath(after: string | null): string {
  return pathWith({ limit: String(MOST_GROUPS), ...(after === null ? {} : { after }) });
}

function pathWith(page: Readonly<Record<string, string>>): string {
  const by = grouping.value === 'none' ? {} : { by: grouping.value };
  const query = { ...period.value, each: each.value, ...by, ...filters.value, ...page };
  return `/v1/usage?${new URLSearchParams(query)}`;
}

export function filterBy(dimension: Dimension, name: string): void {
  filters.value = { ...filters.value, [dimension]: name };
}

export function removeFilter(dimension: Dimension): void {
  const { [dimension]: _, ...others } = filters.value;
  filters.value = others;
}
