/**
 * The error of a service or program that could not be provided, with the words that go with it. The files of this folder
 * are plain JavaScript on Node's own modules: bin/run.js needs them before `npm ci` has installed the pinned Node.
 */

/** @typedef {(line: string) => void} Report */
/** @typedef {Readonly<Record<string, string | undefined>>} Environment */

/** `fix` tells the reader what to do about it. */
export class ServiceError extends Error {
  /** @override */
  name = 'ServiceError';

  /**
   * @param {string} message
   * @param {string} fix
   * @param {{ cause?: unknown }} [extra]
   */
  constructor(message, fix, extra = {}) {
    super(`${message}\n  Fix: ${fix}`, { cause: extra.cause });
    this.fix = fix;
  }
}

/**
 * A failed fetch says only "fetch failed"; its cause has the reason.
 * @param {unknown} error
 */
export function reasonOf(error) {
  if (!(error instanceof Error)) return String(error);
  const isFetchFailure = error.message === 'fetch failed' && error.cause instanceof Error;
  return isFetchFailure && error.cause instanceof Error ? error.cause.message : error.message;
}

/**
 * A duration for people: "0.4 s".
 * @param {number} sinceMs
 */
export function seconds(sinceMs) {
  return `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;
}
