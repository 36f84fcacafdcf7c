/**
 * Nothing of one tenant reaches another: no cached answer, no prompt, no key. Where users do not share the cache, no
 * answer of one user reaches another.
 */
import type { GenerationEvidence } from '../evidence.ts';
import type { LoadDone } from '../load.ts';
import type { PlannedRequest, Sharing, Tenant } from '../plan.ts';
import { type Finding, finding } from './finding.ts';

/** One that follows another, which is at work, must be of the same tenant and have asked the same. */
export function checkFollowed(generations: readonly GenerationEvidence[], sharing: Sharing): Finding[] {
  return generations.flatMap(({ accepted, log }) =>
    log.flatMap((event) => {
      if (event.type !== 'cache-join') return [];
      const leader = generations.find((candidate) => candidate.accepted.id === event.leader)?.accepted.plan;
      if (leader !== undefined && mayHave(accepted.plan, leader, sharing)) return [];
      const { tenant, user } = accepted.plan;
      if (leader?.tenant === tenant && leader.user !== user)
        return [finding('cross_user', accepted.id, `${user} was given the answer of ${leader.user}`)];
      return [finding('cross_tenant', accepted.id, `${tenant} was given the answer of ${event.leader}`)];
    }),
  );
}

/** A cached answer must have been made before, for the same tenant, by a generation that asked the same. */
export function checkCache(generations: readonly GenerationEvidence[], sharing: Sharing): Finding[] {
  const made = generations.filter(({ log }) => endOf(log)?.cached === false);
  return generations.flatMap(({ accepted, log }) => {
    const hit = log.find(({ type }) => type === 'cache-hit');
    if (hit === undefined) return [];
    const { mark, tenant, user } = accepted.plan;
    const before = made.filter((maker) => (endOf(maker.log)?.at ?? Number.POSITIVE_INFINITY) <= hit.at);
    const isMadeFor = (who: Sharing) =>
      before.some((maker) => mayHave(accepted.plan, maker.accepted.plan, who));
    if (isMadeFor(sharing)) return [];
    if (isMadeFor('tenant'))
      return [finding('cross_user', accepted.id, `${user} got a cached answer to ${mark} of another user`)];
    return [
      finding('cross_tenant', accepted.id, `${tenant} got a cached answer to ${mark} that it never made`),
    ];
  });
}

/** Whether the one may be given what the other made. */
function mayHave(reader: PlannedRequest, maker: PlannedRequest, sharing: Sharing): boolean {
  return (
    maker.mark === reader.mark &&
    maker.tenant === reader.tenant &&
    (sharing === 'tenant' || maker.user === reader.user)
  );
}

function endOf(log: GenerationEvidence['log']) {
  const last = log.at(-1);
  return last?.type === 'generation-end' ? last : null;
}

/** @param secrets words of each tenant: its keys, and what only its prompts hold. */
export function checkSecrets(
  seen: LoadDone['seen'],
  secrets: Readonly<Record<Tenant, readonly string[]>>,
): Finding[] {
  return seen.flatMap(({ tenant, what }) =>
    Object.entries(secrets).flatMap(([owner, words]) =>
      owner === tenant
        ? []
        : words
            .filter((word) => what.includes(word))
            .map((word) => finding('cross_tenant', '', `${tenant} saw ${word} of ${owner}`)),
    ),
  );
}
