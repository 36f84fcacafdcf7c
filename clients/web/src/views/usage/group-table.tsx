/** All groups of the period with their sums, dearest first. A name narrows the view to it. */
import { useEffect, useState } from 'preact/hooks';
import type { UsageGroupSums, UsageView } from '../../../../../contracts/usage.ts';
import { formatCost, formatCount, formatShare } from '../../format.ts';
import { getJson } from '../../session.ts';
import { Failure } from '../parts.tsx';
import { type Dimension, GROUPINGS } from './groupings.ts';
import { isNamed, nameOf } from './plans.ts';
import { filterBy, grouping, groupsPath } from './usage-query.ts';

interface Groups {
  readonly groups: readonly UsageGroupSums[];
  readonly next: string | null;
}

export function GroupTable({ usage, by }: { usage: UsageView; by: Dimension }) {
  const [pages, setPages] = useState(0);
  const [extended, setExtended] = useState<Groups | null>(null);
  const [error, setError] = useState<Error | null>(null);
  useEffect(() => {
    if (pages === 0) return;
    let isOver = false;
    loadPages(pages).then(
      (groups) => {
        if (!isOver) setExtended(groups);
      },
      (cause: unknown) => setError(cause instanceof Error ? cause : new Error(String(cause))),
    );
    return () => {
      isOver = true;
    };
  }, [usage, pages]);
  const { groups, next } = extended ?? usage;
  const title = GROUPINGS[by];
  return (
    <section class="card" aria-labelledby="groups-title">
      <h2 id="groups-title">By {title.toLowerCase()}</h2>
      <table class="list">
        <caption class="visually-hidden">Usage by {title.toLowerCase()}</caption>
        <thead>
          <tr>
            <th scope="col">{title}</th>
            {['Generations', 'Failed', 'Tokens', 'Spend', 'Share', 'Saved'].map((name) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <GroupRow key={group.name ?? ''} group={group} by={by} total={usage.totals.costMicroUsd} />
          ))}
        </tbody>
      </table>
      {error !== null && <Failure error={error} />}
      {next !== null && (
        <p>
          <button type="button" onClick={() => setPages(pages + 1)}>
            Show more
          </button>
        </p>
      )}
    </section>
  );
}

async function loadPages(pages: number): Promise<Groups> {
  const groups: UsageGroupSums[] = [];
  let next: string | null = null;
  for (let page = 0; page < pages && (page === 0 || next !== null); page += 1) {
    const answer: UsageView = await getJson<UsageView>(groupsPath(next));
    groups.push(...answer.groups);
    next = answer.next;
  }
  return { groups, next };
}

function GroupRow({ group, by, total }: { group: UsageGroupSums; by: Dimension; total: number }) {
  const { name } = group;
  const narrow = (only: string) => {
    filterBy(by, only);
    grouping.value = by === 'model' ? 'none' : 'model';
  };
  return (
    <tr>
      <th scope="row">
        {isNamed(name) ? (
          <button type="button" class="link" onClick={() => narrow(name)}>
            {name}
            <span class="visually-hidden">: show only this</span>
          </button>
        ) : (
          <span class="muted">{nameOf(group, by)}</span>
        )}
      </th>
      <td data-name="Generations" class="number">
        {formatCount(group.generations)}
      </td>
      <td data-name="Failed" class="number">
        {formatCount(group.failed)}
      </td>
      <td data-name="Tokens" class="number">
        {formatCount(group.tokens)}
      </td>
      <td data-name="Spend" class="number">
        {formatCost(group.costMicroUsd)}
      </td>
      <td data-name="Share" class="number">
        {formatShare(group.costMicroUsd, total)}
      </td>
      <td data-name="Saved" class="number">
        {formatCost(group.savedMicroUsd)}
      </td>
    </tr>
  );
}
