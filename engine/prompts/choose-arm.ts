/** Chooses the version of a label by a hash, so that the same user or generation always gets the same version. */
import { createHash } from 'node:crypto';
import type { LabelTarget } from '../../contracts/prompts.ts';

/** The user and generation that a label's version is chosen for. */
export interface ArmUnit {
  readonly user: string;
  readonly generationId: string;
}

/**
 * Each arm covers a stretch of a line, in order and as long as its weight; the hash is a point on the line. When the
 * weight of the last arm grows, its users keep it. The salt makes tests of different prompts independent.
 */
export function chooseArm(target: LabelTarget, salt: string, unit: ArmUnit): number {
  if ('version' in target) return target.version;
  const unitId = target.by === 'user' ? unit.user : unit.generationId;
  const digest = createHash('sha256').update(`${salt}\0${unitId}`).digest();
  const total = target.arms.reduce((sum, arm) => sum + arm.weight, 0);
  // 48 bits: exact in a double, and fine enough for a weight of one in a million.
  let point = (digest.readUIntBE(0, 6) / 2 ** 48) * total;
  for (const { version, weight } of target.arms) {
    if (point < weight) return version;
    point -= weight;
  }
  throw new Error('a label has no arms');
}
