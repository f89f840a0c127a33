import { TermWeight as Weight } from '../wire/index.ts';
import { partsOf } from './error-term.ts';
import { Pid } from './pid.ts';
import { Ref } from './ref.ts';
import { Tagged } from './tagged.ts';

/**
 * Estimated memory of a value that has been decoded, with the weights by which terms are bounded (docs/wire.md) and the contents of texts and
 * binaries. Unit: bytes. O(values).
 */
export function memoryOf(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return Weight.STRING + value.length;
    case 'number':
      return value === (value | 0) ? 0 : Weight.NUMBER; // V8 keeps a small integer where a pointer would be
    case 'bigint':
      return Weight.NUMBER + (value.toString(16).length >> 1);
    case 'object':
      return value === null ? 0 : memoryOfObject(value);
    default:
      return 0;
  }
}

function memoryOfObject(value: object): number {
  if (Array.isArray(value)) return Weight.LIST + memoryOfAll(value, Weight.SLOT);
  if (value instanceof Pid || value instanceof Ref) return Weight.ADDRESS;
  if (ArrayBuffer.isView(value)) return Weight.BYTES + value.byteLength;
  if (value instanceof Date) return Weight.DATE;
  if (value instanceof Set) return Weight.SET + memoryOfAll(value, Weight.SET_ENTRY);
  if (value instanceof Map)
    return Weight.MAP + memoryOfAll(value.keys(), 0) + memoryOfAll(value.values(), Weight.MAP_ENTRY);
  if (value instanceof Error) return Weight.STRUCT + memoryOfAll(fieldsOf(value), Weight.KEY);
  const fields: object = value instanceof Tagged ? value.fields : value;
  return (fields === value ? Weight.OBJECT : Weight.STRUCT) + memoryOfAll(Object.values(fields), Weight.KEY);
}

/** @param entry Memory of an entry of the container. */
function memoryOfAll(values: Iterable<unknown>, entry: number): number {
  let bytes = 0;
  for (const value of values) bytes += entry + memoryOf(value);
  return bytes;
}

const fieldsOf = (error: Error): unknown[] => partsOf(error).fields.map(([, value]) => value);
