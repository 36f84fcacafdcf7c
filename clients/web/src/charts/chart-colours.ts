/** The colours of charts, from the style sheet: a canvas cannot use custom properties itself. */
import { SERIES_COLOURS } from './chart-plan.ts';

export interface ChartColours {
  readonly series: readonly string[];
  readonly rest: string;
  readonly muted: string;
  readonly edge: string;
  readonly card: string;
}

export function readColours(): ChartColours {
  // Only a property that takes a colour resolves light-dark().
  const probe = document.createElement('span');
  probe.hidden = true;
  document.body.append(probe);
  const resolve = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  try {
    return {
      series: Array.from({ length: SERIES_COLOURS }, (_, index) => resolve(`series-${index + 1}`)),
      rest: resolve('series-rest'),
      muted: resolve('muted'),
      edge: resolve('edge'),
      card: resolve('card'),
    };
  } finally {
    probe.remove();
  }
}

/** Calls the listener when the theme changes: that of the system, or the one chosen on the page. */
export function onThemeChange(listener: () => void): () => void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const chosen = new MutationObserver(listener);
  dark.addEventListener('change', listener);
  chosen.observe(document.documentElement, { attributes: true });
  return () => {
    dark.removeEventListener('change', listener);
    chosen.disconnect();
  };
}
