/** One prompt: its statistics, its labels, the comparison of two versions, and the editor of the next one. */
import { useCallback, useState } from 'preact/hooks';
import type { PromptStatsView, PromptVersionView, PromptView } from '../../../../../contracts/prompts.ts';
import { canAdminister, getJson } from '../../session.ts';
import { usePolled } from '../../use-polled.ts';
import { Failure } from '../parts.tsx';
import { Compare } from './compare.tsx';
import { Labels } from './labels.tsx';
import { loadVersion } from './load-version.ts';
import { PromptEditor } from './prompt-editor.tsx';
import { Statistics } from './statistics.tsx';

interface PromptPanelProperties {
  readonly prompt: PromptView;
  /** Called after a new version or a moved label. */
  readonly onChange: () => void;
}

export function PromptPanel({ prompt, onChange }: PromptPanelProperties) {
  const { name, latest } = prompt;
  const path = `/v1/prompts/${encodeURIComponent(name)}/stats`;
  const load = useCallback(() => getJson<PromptStatsView>(path), [path]);
  const { data: stats, error } = usePolled(load);
  const [base, setBase] = useState<PromptVersionView | null>(null);
  const [notice, setNotice] = useState('');
  const [failure, setFailure] = useState<Error | null>(null);
  const edit = () => {
    setNotice('');
    loadVersion(name, latest).then(setBase, (cause: unknown) =>
      setFailure(cause instanceof Error ? cause : new Error(String(cause))),
    );
  };
  const added = ({ version }: PromptVersionView) => {
    setBase(null);
    setNotice(
      version > latest
        ? `Version ${version} is added. It is used once a label points to it, or a request names it.`
        : `Version ${version} has this content already, so no version was added.`,
    );
    onChange();
  };
  return (
    <>
      <section class="card" aria-labelledby="prompt-title">
        <header class="row">
          <h2 id="prompt-title">{name}</h2>
          <span class="hint">{latest === 1 ? '1 version' : `${latest} versions`}</span>
          {canAdminister.value && base === null && (
            <button type="button" class="end" onClick={edit}>
              Edit as a new version
            </button>
          )}
        </header>
        <p role="status" class="notice">
          {notice}
        </p>
        {failure !== null && <Failure error={failure} />}
        {base !== null && (
          <PromptEditor name={name} base={base} onAdded={added} onCancel={() => setBase(null)} />
        )}
        {error !== null && <Failure error={error} />}
        {stats !== null && base === null && <Statistics stats={stats} />}
      </section>
      <Labels prompt={prompt} onChange={onChange} />
      <Compare key={latest} prompt={prompt} />
    </>
  );
}
