/** Vercel's edge runtime has no `AbortSignal.any`, which the client needs. Import this first. */
AbortSignal.any ??= (signals: Iterable<AbortSignal>): AbortSignal => {
  const controller = new AbortController();
  const sources = [...signals];
  const abort = (reason: unknown) => {
    for (const signal of sources) signal.removeEventListener('abort', pass);
    controller.abort(reason);
  };
  function pass(this: AbortSignal): void {
    abort(this.reason);
  }
  for (const signal of sources) signal.addEventListener('abort', pass);
  const first = sources.find((signal) => signal.aborted);
  if (first !== undefined) abort(first.reason);
  return controller.signal;
};
