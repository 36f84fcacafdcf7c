/**
 * Ends a process that is asked to leave while it waits for its services. As process 1 of a container it would ignore
 * SIGTERM without a listener, until it is killed at the end of its grace period.
 */

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** @returns `end`: from then on, other listeners decide. */
export function leaveWhileStarting(): { end(): void } {
  const leave = () => process.exit(0);
  for (const signal of SIGNALS) process.once(signal, leave);
  return {
    end: () => {
      for (const signal of SIGNALS) process.off(signal, leave);
    },
  };
}
