/** The period as a file, with all groups: JSON as the API answers, or CSV for a spreadsheet. */
import { useState } from 'preact/hooks';
import type { UsageGroupSums, UsageView } from '../../../../../contracts/usage.ts';
import { saveFile } from '../../save-file.ts';
import { getJson } from '../../session.ts';
import { Failure } from '../parts.tsx';
import { csvOf } from './usage-csv.ts';
import { grouping, groupsPath } from './usage-query.ts';

const TYPES = { csv: 'text/csv;charset=utf-8', json: 'application/json' } as const;

export function Downloads() {
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setBusy] = useState(false);
  const download = async (format: keyof typeof TYPES) => {
    setBusy(true);
    setError(null);
    try {
      const by = grouping.value;
      const usage = await loadAllGroups();
      const text = format === 'csv' ? csvOf(usage, by) : `${JSON.stringify(usage, null, 2)}\n`;
      const suffix = by === 'none' ? '' : `-by-${by}`;
      saveFile(
        `usage-${usage.from}-${usage.until}${suffix}.${format}`,
        new Blob([text], { type: TYPES[format] }),
      );
    } catch (cause) {
      setError(cause instanceof Error ? cause : new Error(String(cause)));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <button type="button" class="small" disabled={isBusy} onClick={() => download('csv')}>
        Download CSV
      </button>
      <button type="button" class="small" disabled={isBusy} onClick={() => download('json')}>
        Download JSON
      </button>
      {error !== null && <Failure error={error} />}
    </>
  );
}

async function loadAllGroups(): Promise<UsageView> {
  const first = await getJson<UsageView>(groupsPath(null));
  const groups: UsageGroupSums[] = [...first.groups];
  for (let { next } = first; next !== null; ) {
    const page: UsageView = await getJson<UsageView>(groupsPath(next));
    groups.push(...page.groups);
    next = page.next;
  }
  return { ...first, groups, next: null };
}
