/** Which version a label gives: by a hash, so that the same user or generation always gets the same one. */
import { createHash } from 'node:crypto';
import type { LabelTarget } from '../../contracts/prompts.ts';

/** Who asks. */
export interface ArmUnit {
  readonly user: string;
  readonly generationId: string;
}

/**
 * The arms share a line in their order, each by its weight; the hash is a point on it. So when the weight of the last
 * arm grows, those who had it keep it. The salt makes tests of different prompts independent of each other.
 */
export function chooseArm(target: LabelTarget, salt: string, unit: ArmUnit): number {
  if ('version' in target) return target.version;
  const who = target.by === 'user' ? unit.user : unit.generationId;
  const digest = createHash('sha256').update(`${salt}\0${who}`).digest();
  const total = target.arms.reduce((sum, arm) => sum + arm.weight, 0);
  // 48 bits: exact in a double, and fine enough for a weight of one in a million.
  let point = (digest.readUIntBE(0, 6) / 2 ** 48) * total;
  for (const { version, weight } of target.arms) {
    if (point < weight) return version;
    point -= weight;
  }
  throw new Error('a label has no arms');
}
