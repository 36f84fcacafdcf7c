import { place } from '../../router.ts';
import { Composer } from './composer.tsx';
import { GenerationPanel } from './generation-panel.tsx';

export function Workbench() {
  const { id } = place.value;
  return (
    <div class="workbench">
      <Composer />
      {id === null ? <Invitation /> : <GenerationPanel key={id} id={id} />}
    </div>
  );
}

function Invitation() {
  return (
    <section class="card invitation">
      <svg viewBox="0 0 600 120" aria-hidden="true" focusable="false">
        <title>An unbroken line</title>
        <path class="ghost" d="M0 60h240m120 0h240" />
        <path class="mend" d="M240 60c30-44 90-44 120 0" />
        <circle cx="240" cy="60" r="5" />
        <circle cx="360" cy="60" r="5" />
      </svg>
      <h2>Nothing is lost when the connection drops</h2>
      <p class="muted">
        Send a prompt, then cut the connection, reload this page or stop the API mid-stream. The generation
        continues, and the page resumes at the next event.
      </p>
    </section>
  );
}
