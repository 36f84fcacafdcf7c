/** Small components that several views share. */
import type { ComponentChildren } from 'preact';
import type { GenerationStatus } from '../../../../contracts/generation.ts';
import { formatTime } from '../format.ts';

export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <title>Unbroken</title>
      <path d="M3 21c6 0 6-11 13-11s7 11 13 11" />
      <circle cx="16" cy="10" r="3.4" />
    </svg>
  );
}

/** @param path of an SVG of 24 by 24, drawn as lines. The text beside it names what it stands for. */
export function Icon({ path }: { path: string }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={path} />
    </svg>
  );
}

const STATUS_TONES = { running: 'good', completed: 'good', failed: 'bad', cancelled: 'late' } as const;

export function Status({ status }: { status: GenerationStatus }) {
  return <span class={`status ${STATUS_TONES[status]} ${status}`}>{status}</span>;
}

export type Tone = 'good' | 'late' | 'bad' | 'plain';

export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`status ${tone}`}>{children}</span>;
}

/** @param at milliseconds since 1970 */
export function Time({ at }: { at: number }) {
  return <time dateTime={new Date(at).toISOString()}>{formatTime(at)}</time>;
}

/** A named fact, for a <dl>. */
export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function Failure({ error }: { error: Error }) {
  const doc = 'doc' in error && typeof error.doc === 'string' ? error.doc : null;
  return (
    <p class="fault" role="alert">
      {error.message}{' '}
      {doc !== null && (
        <a href={doc} target="_blank" rel="noreferrer">
          What to do
        </a>
      )}
    </p>
  );
}

/** A link to another site, in a new tab. */
export function ExternalLink({ href, children }: { href: string; children: ComponentChildren }) {
  return (
    <a class="away" href={href} target="_blank" rel="noreferrer">
      {children}
    </a>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <p class="loading" role="status">
      Loading {what}
    </p>
  );
}

/** What a view shows while it has no data: what would be here, and how to get it. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="title">{title}</p>
      {children !== undefined && <p class="muted">{children}</p>}
    </div>
  );
}
