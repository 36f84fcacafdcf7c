/** The part of React that the hook uses: React's own types would be one more dependency of everything here. */
declare module 'react' {
  export function useMemo<Value>(create: () => Value, dependencies: readonly unknown[]): Value;
  export function useSyncExternalStore<Snapshot>(
    subscribe: (listener: () => void) => () => void,
    getSnapshot: () => Snapshot,
    getServerSnapshot: () => Snapshot,
  ): Snapshot;
}
