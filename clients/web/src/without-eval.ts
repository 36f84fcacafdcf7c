/**
 * Zod compiles its schemas with `new Function` where it may. The page's security policy forbids that, and the browser
 * would report the attempt. Imported first, because a schema decides when it is created.
 */
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } });
