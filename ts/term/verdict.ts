/**
 * Thrown by the fast paths at a value that cannot travel; the slow walk of `unsendable.ts` then finds out what and where. A
 * constant, because most of them are thrown far from where the path is known.
 */
export const UNSENDABLE: unique symbol = Symbol('unsendable');

/** Whether an object is plain data: its prototype is Object's, or none. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
