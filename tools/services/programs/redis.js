/** Redis' program: redis-server or valkey-server on PATH, else installed by the system's package manager. */
import { findOrInstall } from './system-package.js';

/** @type {import('./system-package.js').SystemPackage} */
const REDIS = {
  name: 'Redis',
  programs: ['redis-server', 'valkey-server'],
  apt: 'redis-server',
  others: { brew: 'redis', dnf: 'redis', apk: 'redis' },
  instead: 'set REDIS_URL to a Redis 7 or later that you have',
};

/**
 * The path of a Redis or Valkey server. Installs one, and reports it before, where this process may.
 * @param {import('./service-error.js').Report} report
 * @param {import('./service-error.js').Environment} env
 */
export function findRedisExecutable(report, env = process.env) {
  return findOrInstall(REDIS, report, env);
}
