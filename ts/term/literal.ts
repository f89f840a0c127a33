// Generates object literals. Objects of one shape are made by one literal, so that they share a hidden class and need no look-ups. The
// literal is generated once a shape is frequent: generating it costs as much as making some hundred objects.

/** How often a shape is read (or copied) key by key before code is generated for it. */
export const WARM_UP = 16;

let isAllowed: boolean | undefined;

/** Whether code may be generated: not under `--disallow-code-generation-from-strings`. */
export function canGenerate(): boolean {
  if (isAllowed === undefined) {
    try {
      isAllowed = new Function('return true')() === true;
    } catch {
      isAllowed = false;
    }
  }
  return isAllowed;
}

/**
 * An object literal: `value(key)` returns the expression for each property.
 *
 * Keys come from peers: each is quoted, and `__proto__` is a computed key, which makes it an own property.
 */
export function literal(keys: readonly string[], value: (quoted: string) => string): string {
  const properties = keys.map((key) => {
    const quoted = quote(key);
    return `${key === '__proto__' ? '["__proto__"]' : quoted}:${value(quoted)}`;
  });
  return `{${properties.join(',')}}`;
}

/** A JavaScript string literal. Since ES2019 every JSON string is one. */
export function quote(key: string): string {
  return JSON.stringify(key);
}

const PROTOTYPE = Object.prototype;

/** Sets an own property, whatever its name: an assignment could meet a setter, or a read-only property of a frozen prototype. */
export function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key in PROTOTYPE) {
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  } else {
    object[key] = value;
  }
}
