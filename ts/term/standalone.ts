import { SnowmeshError } from '../errors/index.ts';
import { BadTerm, checkTerm } from './check.ts';
import { TermDecoder } from './decode.ts';
import { Encoder } from './encode.ts';

/**
 * Encodes a value as a term, independent of any connection: for files, queues, tests.
 *
 * PIDs and references are written with the numbers of this node, which are not valid on another one. O(size of the value).
 * Throws SNOW_ERR_UNSENDABLE, SNOW_ERR_TOO_DEEP, SNOW_ERR_TOO_LARGE.
 *
 * @example
 * const bytes = encodeTerm({ at: new Date(), tags: new Set(['a']) });
 */
export function encodeTerm(value: unknown): Uint8Array {
  const encoder = new Encoder(new Uint8Array(256));
  encoder.term(value);
  return new Uint8Array(encoder.buffer.subarray(0, encoder.at));
}

/**
 * Decodes a term that {@link encodeTerm} wrote. Safe for bytes of any origin. O(bytes).
 *
 * Throws SNOW_ERR_BAD_TERM with the position of the fault.
 * @example
 * decodeTerm(encodeTerm(new Map([['a', 1]]))); // Map { 'a' => 1 }
 */
export function decodeTerm(bytes: Uint8Array): unknown {
  try {
    checkTerm(bytes);
    return new TermDecoder().decode(bytes);
  } catch (error) {
    const where = error instanceof BadTerm ? `${error.message} at byte ${error.at}` : String(error);
    throw new SnowmeshError('SNOW_ERR_BAD_TERM', `These bytes are not a term: ${where}.`, { cause: error });
  }
}
