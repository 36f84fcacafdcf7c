/** A bar chart of a few values of one measure, starting at zero. Its text alternative has every value. */
interface Bar {
  readonly label: string;
  readonly value: number;
  /** The value as text. */
  readonly shown: string;
  /** Whether it is the baseline of the others. */
  readonly isBase: boolean;
}

export function Bars({ title, bars }: { title: string; bars: readonly Bar[] }) {
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  const inWords = `${title}: ${bars.map(({ label, shown }) => `${label} ${shown}`).join(', ')}`;
  return (
    <figure class="bars">
      <figcaption>{title}</figcaption>
      <div role="img" aria-label={inWords}>
        {bars.map(({ label, value, shown, isBase }) => (
          <div key={label} class={isBase ? 'bar base' : 'bar'}>
            <span>{label}</span>
            <span class="track">
              <span class="fill" style={{ width: `${(100 * value) / most}%` }} />
            </span>
            <span class="value">{shown}</span>
          </div>
        ))}
      </div>
    </figure>
  );
}
