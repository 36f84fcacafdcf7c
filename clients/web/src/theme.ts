/** Light or dark: the system's choice until the person makes one, which this browser keeps. */
import { effect, signal } from '@preact/signals';
import { lasting } from './storage.ts';

const KEY = 'unbroken-theme';
const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

export const theme = signal<Theme>(themes.find((name) => name === lasting.getItem(KEY)) ?? 'system');

/** The styles use `light-dark()`, which follows `color-scheme`. */
export function applyTheme(): void {
  effect(() => {
    document.documentElement.style.colorScheme = theme.value === 'system' ? 'light dark' : theme.value;
  });
}

export function chooseTheme(name: Theme): void {
  if (name === 'system') lasting.removeItem(KEY);
  else lasting.setItem(KEY, name);
  theme.value = name;
}
