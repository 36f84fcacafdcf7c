/**
 * Replaces some methods of an object, for a decorator. A spread would lose every method that a class inherits, and a
 * derived object has no access to private fields; so the other methods run on the object itself.
 */
export function withMethods<Target extends object>(target: Target, methods: Partial<Target>): Target {
  return new Proxy(target, {
    get(object, name) {
      if (Object.hasOwn(methods, name)) return Reflect.get(methods, name);
      const value: unknown = Reflect.get(object, name);
      return typeof value === 'function' ? value.bind(object) : value;
    },
  });
}
