/** The commands of a node-redis client that prompts need. */
import type { VersionsRedis } from '../versions/redis-versions.ts';

export interface PromptRedis extends VersionsRedis {
  get(key: string): Promise<string | null>;
  zRange(key: string, from: number, to: number, order: { REV: true }): Promise<string[]>;
}
