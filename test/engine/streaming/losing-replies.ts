import type { LogRedis } from '../../../engine/streaming/redis-event-log.ts';

/** The same Redis; the replies to these scripts, counted from 1, are lost. */
export function losingReplies(
  redis: LogRedis,
  lostReplies: readonly number[],
): { redis: LogRedis; sent(): number } {
  let sent = 0;
  return {
    sent: () => sent,
    redis: {
      evalSha: async (sha, call) => {
        sent += 1;
        const isLost = lostReplies.includes(sent);
        const reply = await redis.evalSha(sha, call);
        if (!isLost) return reply;
        throw new Error('the connection was cut before the reply came');
      },
      eval: (source, call) => redis.eval(source, call),
      get: (key) => redis.get(key),
      hGetAll: (key) => redis.hGetAll(key),
      hmGet: (key, fields) => redis.hmGet(key, fields),
      xRange: (key, from, to, options) => redis.xRange(key, from, to, options),
    },
  };
}
