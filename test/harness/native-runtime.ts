/**
 * Jest's runtime with Node's own modules: a process of Jest loads each module once, as the product does. By itself Jest
 * loads all of them again for each suite, in a separate context. So suites of one process share the state of modules,
 * and none may leave any behind.
 */
import { createRequire, registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { setCurrentGlobals } from './current-globals.ts';

const requireJest = createRequire(createRequire(import.meta.url).resolve('jest-runtime'));
// Their types are those of CommonJS, where the class is a field of the module.
const { default: Runtime }: typeof import('jest-runtime') = requireJest('jest-runtime');
const { ModernFakeTimers }: typeof import('@jest/fake-timers') = requireJest('@jest/fake-timers');

const CURRENT_GLOBALS = new URL('./current-globals.ts', import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === '@jest/globals' ? { url: CURRENT_GLOBALS, shortCircuit: true } : next(specifier, context),
});

let imports = 0;

export default class NativeRuntime extends Runtime {
  constructor(...options: ConstructorParameters<typeof Runtime>) {
    const [config, environment] = options;
    environment.fakeTimersModern = new ModernFakeTimers({ config, global: globalThis });
    super(...options);
  }

  override unstable_shouldLoadAsEsm(): boolean {
    return true;
  }

  /** Called for a suite. Its address is new each time, so that it runs again where Jest watches. */
  override async unstable_importModule(path: string): Promise<void> {
    setCurrentGlobals(this.requireModuleOrMock(path, '@jest/globals'));
    imports += 1;
    await import(`${pathToFileURL(path).href}?${imports}`);
  }
}
