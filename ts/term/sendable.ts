/**
 * Thrown by the fast paths for a value that cannot be sent. The slow walk of `unsendable.ts` then finds the value and its path: the
 * fast paths do not keep track of it.
 */
export const UNSENDABLE: unique symbol = Symbol('unsendable');

/** Whether an object is plain data: its prototype is that of Object, or null. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
