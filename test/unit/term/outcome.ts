// What a call did, as a value that can be compared; and a comparison to the bit.
import { deepStrictEqual } from 'node:assert';

/** The code of the error a function throws; undefined when it throws none. Throws on errors without a code. */
export function codeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (typeof code !== 'string') throw error;
    return code;
  }
  return undefined;
}

/** The path that an error names; undefined when nothing is thrown. */
export function pathOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return (error as { details?: { path?: string } }).details?.path;
  }
  return undefined;
}

/** Deep equality to the bit. Two invalid dates are equal here, which `deepStrictEqual` of Node.js 20 denies. */
export function same(actual: unknown, expected: unknown): void {
  if (isInvalid(actual) && isInvalid(expected)) return;
  deepStrictEqual(actual, expected);
}

function isInvalid(value: unknown): boolean {
  return value instanceof Date && Number.isNaN(value.getTime());
}
