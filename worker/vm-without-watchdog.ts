/**
 * Loaded by `node --import` before the worker's own code, and so in the SDK's workflow thread too. The SDK enters a
 * workflow's VM some ten times a run, each time with a time limit, and for each limit Node starts and joins a thread:
 * 160 µs on an idle machine, milliseconds on a busy one. The limit guards against workflow code that never returns;
 * our workflows are the only ones here, and have no loop without an await. docs/decisions/0007 has the figures.
 */
import vm from 'node:vm';

const enter = vm.Script.prototype.runInContext;

vm.Script.prototype.runInContext = function runWithoutLimit(context, options) {
  if (typeof options !== 'object') return enter.call(this, context, options);
  const { timeout: _limit, ...others } = options;
  return enter.call(this, context, others);
};
